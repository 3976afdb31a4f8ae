"""Doors: everything that arrives over HTTP. Verify, store, answer; also the pages and the API.

May not decide anything, call GitHub or Slack, or touch the executor's engines: what came in is stored
as a delivery before it is answered, and `bot` reads it from there. It asks `bot` for what it shows.
"""
