"""Which variables of a workload look like secrets. Pure."""

import re
from collections.abc import Mapping

_SECRET = re.compile(
    r"(?i)secret|token|passw(?:or)?d|passphrase|pwd|credential|(?:api|access|private|signing|encryption)_?key|dsn|auth"
)
_WITH_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*:[^/@\s]+@")
_SHORTEST = 6
"""Characters: masking what is shorter (`1`, `true`) would make holes in every log."""


def hidden(environment: Mapping[str, str]) -> list[str]:
    """Name the variables of a workload whose values no log may show.

    These are the ones that are called like secrets (`…TOKEN…`, `…PASSWORD…`, `…SECRET…`, `…API_KEY…` and the
    like, any case) and those whose value is a URL with a password, if the value has six characters or more.
    """
    return [
        name
        for name, value in environment.items()
        if len(value) >= _SHORTEST and (_SECRET.search(name) or _WITH_PASSWORD.match(value))
    ]
