"""What operators see: the log and the metrics.

May not be asked by anybody for a decision.
"""
