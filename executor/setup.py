"""How a job's setup comes before its command, on every engine. Imports nothing: supervisors carry it."""

_SCRIPT = 'errand_setup=$1; shift; eval "$errand_setup"; unset errand_setup; exec "$@"'
"""The operator's setup, then the command, in the same shell. No word of either is in this text."""

SHELL = ("bash", "--noprofile", "--norc", "-e", "-c", _SCRIPT, "setup")
"""What goes before the setup's text, which the words of the command follow."""
