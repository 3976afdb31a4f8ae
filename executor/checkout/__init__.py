"""Makes a commit runnable: mirror, worktree, setup. Runs as the job of a build, in a Python of its own.

So a build is supervised, logged, stopped and timed out like any run, and outlives Errand's restart.
May import the standard library, `executor.logs.redaction` and `executor.supervisor`'s locks only.
"""
