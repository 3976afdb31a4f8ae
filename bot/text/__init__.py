"""How things are written: names, patterns, durations and sizes, lists and quotes, the vocabulary. Pure.

May not know what they are written about; the vocabulary alone knows the enums that it is keyed by.
"""
