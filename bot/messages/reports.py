"""What a job reported, in the syntax of GitHub and of Slack."""

import re
from collections.abc import Callable, Sequence

from bot.messages.mrkdwn import escaped, fitted, span
from bot.messages.summaries import Block, Span, Spans, blocks
from bot.messages.text import ELLIPSIS, code, fence, fitting, plain, url

SHORT = 1500
"""Characters of a summary that stands open on a card of GitHub; a longer one is folded."""
_LINE, _SLACK_LINE = 10_000, 1000
"""Characters of one piece of a text."""
_CODE_CHARACTERS = 20_000
_REFERENCE = re.compile(r"/(issues|pull|discussions|commit)/", re.IGNORECASE)
"""In the address of a link by which GitHub would tell others that they were mentioned."""

_PIPE = re.compile(r"(?<!\\)\|")
_MARKDOWN = {"strong": "**", "emphasis": "*", "struck": "~~"}
_MRKDWN = {"strong": "*", "emphasis": "_", "struck": "~"}


def github(summary: str, limit: int) -> str:
    """The summary as GitHub's Markdown, at most so many characters; what is long is folded."""
    text = _joined(blocks(summary), _github, limit - 100)
    if len(text) <= SHORT:
        return text
    return f"<details><summary>Summary</summary>\n\n{text}\n\n</details>"


def slack(summary: str, limit: int) -> str:
    """The summary as Slack's markup, at most so many characters."""
    return _joined(blocks(summary), _slack, limit)


def _joined(found: Sequence[Block], write: Callable[[Block], str], limit: int) -> str:
    """As many blocks as fit; items follow each other without an empty line."""
    parts: list[str] = []
    left = limit - 10
    before = ""
    for block in found:
        text = write(block)
        gap = "\n" if before == block.kind == "item" else "\n\n" if parts else ""
        left -= len(gap) + len(text)
        if left < 0:
            return "".join([*parts, f"\n\n{ELLIPSIS}"])
        parts += [gap, text]
        before = block.kind
    return "".join(parts)


# GitHub ------------------------------------------------------------------------------------------


def _github(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{'#' * min(block.level + 2, 6)} {_markdown(block.spans)}"
        case "item":
            mark = "-" if block.number is None else f"{block.number}."
            return f"{'    ' * block.level}{mark} {_markdown(block.spans)}"
        case "quote":
            return f"> {_markdown(block.spans)}"
        case "code":
            return fence(block.lines, limit=_CODE_CHARACTERS)
        case "rule":
            return "---"
        case "table":
            return _table(block)
        case _:
            return _markdown(block.spans)


def _table(block: Block) -> str:
    width = len(block.rows[0])
    rows = [[_PIPE.sub(r"\|", _markdown(cell)) for cell in row[:width]] for row in block.rows]
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _markdown(spans: Spans) -> str:
    return "".join(map(_markdown_span, spans)).strip()


def _markdown_span(piece: Span) -> str:
    if piece.style == "code":
        return code(piece.text, _LINE)
    shown = plain(piece.text, _LINE)
    if piece.url is not None:
        is_reference = _REFERENCE.search(piece.url) is not None
        named = code(piece.url, _LINE)  # as code, it is no link
        return f"{shown} ({named})" if is_reference else f"[{shown}]({_target(piece.url)})"
    mark = _MARKDOWN.get(piece.style, "")
    return _with_edges(piece.text, f"{mark}{shown}{mark}")


def _target(address: str) -> str:
    """An address as the target of a link, which it cannot end."""
    return url(address).replace("(", "%28").replace(")", "%29")


def _with_edges(text: str, shown: str) -> str:
    """What is shown of a piece with the blanks between it and its neighbours."""
    before = " " if text[:1].isspace() else ""
    after = " " if text[-1:].isspace() and text.strip() else ""
    return f"{before}{shown}{after}"


# Slack -------------------------------------------------------------------------------------------


def _slack(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"*{''.join(fitted(each.text, _SLACK_LINE) for each in block.spans).strip()}*"
        case "item":
            mark = "•" if block.number is None else f"{block.number}."
            return f"{'    ' * block.level}{mark} {_mrkdwn(block.spans)}"
        case "quote":
            return f"> {_mrkdwn(block.spans)}"
        case "code":
            lines = fitting(block.lines, limit=_CODE_CHARACTERS, line_limit=500)
            return "```\n" + escaped("\n".join(lines).replace("```", "ˋˋˋ")) + "\n```"
        case "rule":
            return "———"
        case "table":
            return "\n".join(" | ".join(_mrkdwn(cell) for cell in row) for row in block.rows)
        case _:
            return _mrkdwn(block.spans)


def _mrkdwn(spans: Spans) -> str:
    return "".join(map(_mrkdwn_span, spans)).strip()


def _mrkdwn_span(piece: Span) -> str:
    if piece.style == "code":
        return span(piece.text, _SLACK_LINE)
    shown = fitted(piece.text, _SLACK_LINE)
    if piece.url is not None:
        label = shown.replace("|", "¦")
        return f"<{escaped(_target(piece.url)).replace('|', '%7C')}|{label}>"
    mark = _MRKDWN.get(piece.style, "")
    return _with_edges(piece.text, f"{mark}{shown}{mark}")
