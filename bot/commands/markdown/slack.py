"""What somebody typed in Slack: as plain text, and the commands of a message that mentions Errand."""

import html
import re

from bot.commands.markdown.comments import GOES_ON, MASK, Line
from bot.text.wording import quoted

_CODE = re.compile(r"(?s)```.*?(?:```|\Z)|`[^`\n]+`")
"""Slack writes no fence that is not closed; what follows one is taken for code nevertheless."""


def plain(text: str) -> str:
    """What somebody typed in Slack: its links and mentions as text, `&amp;` `&lt;` `&gt;` undone once.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return re.sub(r"<([^<>]*)>|&(?:amp|lt|gt);", _unslack, text)


def addressed(text: str, member: str, first_word: str) -> list[Line]:
    """The commands of a message: each line that begins with the mention of `member`, as one of `first_word`.

    Nothing in code or a quote counts; code within a command is `MASK`, which no command may contain.
    """
    mention = re.compile(rf"[ \t]*<@{re.escape(member)}(?:\|[^<>]*)?>[:,]?(.*)", re.DOTALL)
    lines = _CODE.sub(MASK, text).replace("\r\n", "\n").split("\n")
    found: list[Line] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        match = mention.fullmatch(line)
        if match is None:
            continue
        command = f"{first_word} {plain(match[1]).strip()}".rstrip()
        rest = plain(following)
        found.append(Line(command, _wrapped(rest) if GOES_ON.match(rest) else None))
    return found


def _wrapped(following: str) -> str:
    return (
        f"This command was not started: the line below it, {quoted(following.strip()[:100])}, looks like a"
        " part of it. Please write all of a command in one line, or leave an empty line below it."
    )


def _unslack(match: re.Match[str]) -> str:
    inner = match[1]
    if inner is None:
        return html.unescape(match[0])
    target, _, label = inner.partition("|")
    sigil = {"@": "@", "#": "#", "!": "@"}.get(target[:1], "")
    shown = label or (target[1:] if sigil else target)
    if sigil and not shown.startswith(sigil):
        shown = sigil + shown
    return html.unescape(shown)
