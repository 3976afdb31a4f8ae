"""Names of jobs for the shell: one quick question, and silence where it is not answered."""

import os

from terminal.failures import Failure
from terminal.remote import Remote

QUICK = 0.8
"""Seconds: nobody waits longer for a proposal."""
_MOST = 1000


def job_names(incomplete: str) -> list[str]:
    """The jobs whose names begin with what is typed already."""
    try:
        found = Remote.found(os.environ, timeout=QUICK).pages("/api/jobs", "jobs", {}, _MOST)
        return [str(job["name"]) for job in found if str(job["name"]).startswith(incomplete)]
    except (Failure, KeyError, TypeError):
        return []
