"""Runs jobs as plain processes of this machine, each under a supervisor that outlives Errand.

`engine` asks `spawner`, which keeps one small fork server (`forkserver`); for every run it forks a
`supervisor`. Both sides meet in the run's directory, whose files `record` describes. What runs
outside Errand's own process (`forkserver`, `supervisor`, `descendants`, `builder`) may import the
standard library and its own kind only, so that it stays small.
"""
