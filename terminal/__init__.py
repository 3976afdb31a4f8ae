"""The command line: what somebody types in a terminal becomes a request to an Errand, and its answer words.

What it does: asks the API of an Errand that runs (`remote`), follows a run to its end, prints tables and
documents; `chat` puts a private Errand together, as the service does. What it may not do: decide anything,
read the database of a running Errand but for tokens, or import at the top what only one command needs, since
help and completion have to be quick.
"""
