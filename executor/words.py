"""Words of engines, registries and clusters, as they go on to people. Pure."""

import re

_WORDS = 500
"""Characters of somebody else's words that go on."""

_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x1f\x7f-\x9f]")
_USER = re.compile(r"//[^\s/@\"']+@")
_QUERY = re.compile(r"(https?://[^\s?\"']*)\?[^\s\"']*")
_HEADER = re.compile(r"\b(basic|bearer) +[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)


def plain(text: str) -> str:
    """Give foreign words as one bounded line, without control characters and what may be credentials."""
    text = _CONTROL.sub(" ", text)
    for pattern, instead in ((_USER, "//***@"), (_QUERY, r"\1?***"), (_HEADER, r"\1 ***")):
        text = pattern.sub(instead, text)
    text = " ".join(text.split())
    return text if len(text) <= _WORDS else text[: _WORDS - 1] + "…"
