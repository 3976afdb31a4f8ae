"""What tunes the HTTP server: how many connections may be open, for how long, and what their memory is.

May not know what is asked for over them.
"""
