"""Names of jobs, locks and images for the shell: one quick question, and silence where it is not answered."""

import os
import re
from collections.abc import Callable, Iterable

from terminal.failures import Failure
from terminal.remote import Document, Remote

QUICK = 0.8
"""Seconds: nobody waits longer for a proposal."""
_MOST = 1000
_NAME = re.compile(r"[a-z0-9-]{1,63}", re.ASCII)
"""What such a thing may be called. Shells evaluate what is proposed, and whoever answers may be no Errand."""


def job_names(incomplete: str) -> list[str]:
    """The jobs whose names begin with what is typed already."""
    return _proposed(incomplete, lambda job: [job["name"]])


def target_names(incomplete: str) -> list[str]:
    """The same of what can be locked: jobs, and the locks that they name."""

    def names(job: Document) -> list[object]:
        lock = job["definition"].get("lock")
        return [job["name"], *(lock if isinstance(lock, list) else [lock])]

    return _proposed(incomplete, names)


def image_names(incomplete: str) -> list[str]:
    """The same of the images that jobs run in."""
    return _proposed(incomplete, lambda job: [job["definition"].get("image")])


def _proposed(incomplete: str, names: Callable[[Document], Iterable[object]]) -> list[str]:
    try:
        jobs = Remote.found(os.environ, timeout=QUICK).pages("/api/jobs", "jobs", {}, _MOST)
        every = dict.fromkeys(str(name) for job in jobs for name in names(job) if name)
    except (Failure, AttributeError, KeyError, TypeError):
        return []
    return [name for name in every if name.startswith(incomplete) and _NAME.fullmatch(name)]
