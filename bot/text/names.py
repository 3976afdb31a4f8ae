"""What jobs and their schedules can be called. Pure."""

import re

JOB_NAME = "^(?=.{0,39}[a-z-])[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""As JSON Schema reads it as well."""


def job_name(name: str) -> str:
    """`name` if a job can be called so: a DNS label of at most 40 characters that is not a number."""
    if not re.fullmatch(JOB_NAME, name):
        raise ValueError("expected a name of small letters, digits and - (at most 40, a letter among them)")
    return name


SCHEDULE_NAME = "^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""As JSON Schema reads it as well."""

_BETWEEN = "/"
"""Of a job's name and that of its schedule; neither has it."""


def schedule_name(name: str) -> str:
    """`name` if a schedule can be called so: a DNS label of at most 40 characters."""
    if not re.fullmatch(SCHEDULE_NAME, name):
        raise ValueError("expected a name of small letters, digits and - (at most 40)")
    return name


def schedule_key(job: str, name: str | None) -> str:
    """What a schedule is called among those of all jobs: `nightly`, or `nightly/eu` where it has a name."""
    return job if name is None else f"{job}{_BETWEEN}{name}"


def job_and_schedule(key: str) -> tuple[str, str | None]:
    """The job of a schedule and its own name, if it has one."""
    job, _, name = key.partition(_BETWEEN)
    return job, name or None
