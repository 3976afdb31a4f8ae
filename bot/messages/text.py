"""Text from outside made harmless.

GitHub links mentions, issue numbers and addresses in whatever it renders as text, also behind
backslashes and entities, but never inside code: hence code spans for values, and an invisible
character (U+200B) inside what would become a link elsewhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

ELLIPSIS = "…"
REPLACEMENT = "\ufffd"
ZERO_WIDTH = "\u200b"

_PUNCTUATION = re.compile(r"([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])")
_LINKS = re.compile(r"(?i)(?<=@)|(?<=#)|(?<=:)(?=//)|(?<=\bwww)(?=\.)|(?<=\bgh)(?=-\d)")
_SAFE_URL = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'*+,;=%]")
# What changes the order or the look of its neighbours: bidi controls, line ends, tags, private use.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset({"\u200c", "\u200d"})  # needed by scripts and emoji, harmless


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


def clean(text: str, limit: int) -> str:
    """One line of at most `limit` visible characters: control and direction characters are replaced."""
    text = text[: limit * 2 + 2]  # a megabyte is not walked through to show a line of it
    kept = [_visible(character) for character in text]
    return shortened("".join(kept).strip(), limit)


def _visible(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if unicodedata.category(character) in _HIDDEN and character not in _JOINERS:
        return REPLACEMENT
    return character


def code(text: str, limit: int = 200) -> str:
    """A Markdown code span that holds the text as it is and that the text cannot close."""
    line = clean(text, limit)
    if not line:
        return "(empty)"
    ticks = "`" * (_longest(line, "`") + 1)
    pad = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def codes(texts: Iterable[str]) -> str:
    """Several of them, with commas."""
    return ", ".join(code(text, 200) for text in texts)


def plain(text: str, limit: int = 500) -> str:
    """The text inside a Markdown paragraph, shown as it is: no formatting, no mention, no link."""
    line = _LINKS.sub(ZERO_WIDTH, clean(text, limit))
    return _PUNCTUATION.sub(r"\\\1", line)


def fence(lines: Sequence[str], *, limit: int, line_limit: int = 500) -> str:
    """The last of `lines` that fit into `limit` characters, in a code block that they cannot close."""
    kept = fitting(lines, limit=limit, line_limit=line_limit)
    ticks = "`" * max(3, max((_longest(line, "`") for line in kept), default=0) + 1)
    return "\n".join([f"{ticks}text", *kept, ticks])


def fitting(lines: Iterable[str], *, limit: int, line_limit: int) -> list[str]:
    """The last of `lines`, each cleaned and bounded, that fit into `limit` characters together."""
    kept: list[str] = []
    for line in reversed(list(lines)):
        shown = line_of_log(line, line_limit)
        limit -= len(shown) + 1
        if limit < 0:
            break
        kept.append(shown)
    return kept[::-1]


def line_of_log(line: str, limit: int) -> str:
    """A line of a log with its indentation, else as `clean`."""
    line = line[: limit * 2 + 2].expandtabs(4).rstrip()
    return shortened("".join(_visible(character) for character in line), limit)


def url(address: str) -> str:
    """An address of ours, fit for Markdown and Slack links: whatever could end the link is escaped."""
    return _SAFE_URL.sub(
        lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "replace")), address
    )


def _longest(text: str, character: str) -> int:
    return max((len(run) for run in re.findall(re.escape(character) + "+", text)), default=0)


def iso(at: float) -> str:
    """A moment as GitHub wants it: `2026-01-31T14:03:09Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
