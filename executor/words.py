"""Words of others: what of them goes on to people, and which of their variables look like secrets. Pure."""

import re
from collections.abc import Mapping

_WORDS = 500
"""Characters of somebody else's words that go on."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")
_USER = re.compile(r"//[^\s/@\"']+@")
_QUERY = re.compile(r"(https?://[^\s?\"']*)\?[^\s\"']*")
_HEADER = re.compile(r"\b(basic|bearer) +[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)

_SECRET = re.compile(
    r"(?i)secret|token|passw(?:or)?d|passphrase|pwd|credential|(?:api|access|private|signing|encryption)_?key|dsn|auth"
)
_WITH_PASSWORD = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/@\s]*:[^/@\s]+@")
_SHORTEST = 6
"""Characters: masking what is shorter (`1`, `true`) would make holes in every log."""


def plain(text: str) -> str:
    """Give foreign words as one bounded line, without control characters and what may be credentials."""
    text = _CONTROL.sub(" ", text)
    for pattern, instead in ((_USER, "//***@"), (_QUERY, r"\1?***"), (_HEADER, r"\1 ***")):
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= _WORDS else text[: _WORDS - 1] + "…"


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
