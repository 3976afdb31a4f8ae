"""Runs jobs as plain processes of this machine, each under a supervisor that outlives Errand.

`engine` asks `spawner`, which keeps one small fork server; for every run that forks a supervisor
(`executor.supervisor`). `watch` sees what becomes of it, `trees` knows the checkouts that jobs run in.
May not know how a supervisor does its work: the two meet in a request and in the run's directory.
"""

from executor.process.engine import ProcessEngine

__all__ = ["ProcessEngine"]
