"""What exists: jobs, their images, parameters and conditions, as the configuration and definitions say. Pure.

May not ask anybody, and knows nothing of what was typed.
"""
