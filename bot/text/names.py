"""What jobs can be called. Pure."""

import re

JOB_NAME = "^(?=.{0,39}[a-z-])[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""As JSON Schema reads it as well."""


def job_name(name: str) -> str:
    """`name` if a job can be called so: a DNS label of at most 40 characters that is not a number."""
    if not re.fullmatch(JOB_NAME, name):
        raise ValueError("expected a name of small letters, digits and - (at most 40, a letter among them)")
    return name
