"""How things are written: names, patterns, durations and sizes, lists and quotes. Pure.

May not know what they are written about.
"""
