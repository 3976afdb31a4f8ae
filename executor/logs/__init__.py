"""What jobs write, kept for every engine: one log per key, masked, bounded, and read as it grows.

May not know what a run is. Supervisors carry `logfile` and `redaction`, so these import small modules only.
"""
