"""What runs outside Errand's own process and outlives it: the fork server and one supervisor per run.

May import the standard library's small modules, `executor.logs.logfile`, `executor.reports.files` and what
`executor.logs.redaction` needs only, as every supervisor carries all of it. It asks nobody: `request` is what
it is told, `record` (the files of a run's directory) what it answers.
"""
