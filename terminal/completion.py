"""Names of jobs for the shell: one quick question, and silence where it is not answered."""

import os
import re

from terminal.failures import Failure
from terminal.remote import Remote

QUICK = 0.8
"""Seconds: nobody waits longer for a proposal."""
_MOST = 1000
_NAME = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)
"""What a job may be called. Shells evaluate what is proposed, and whoever answers may be no Errand."""


def job_names(incomplete: str) -> list[str]:
    """The jobs whose names begin with what is typed already."""
    try:
        found = Remote.found(os.environ, timeout=QUICK).pages("/api/jobs", "jobs", {}, _MOST)
        names = [str(job["name"]) for job in found]
    except (Failure, KeyError, TypeError):
        return []
    return [name for name in names if name.startswith(incomplete) and _NAME.fullmatch(name)]
