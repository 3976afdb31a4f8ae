"""What somebody typed in Slack, as plain text."""

import html
import re


def plain(text: str) -> str:
    """What somebody typed in Slack: its links and mentions as text, `&amp;` `&lt;` `&gt;` undone once.

    https://docs.slack.dev/messaging/formatting-message-text
    """
    return re.sub(r"<([^<>]*)>|&(?:amp|lt|gt);", _unslack, text)


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
