"""Slack's own markup, and our Markdown replies in it.

https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Iterable
from datetime import datetime

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.messages.text import ELLIPSIS, clean, shortened, url
from bot.text.vocabulary import moment

TEXT_CHARACTERS = 20_000  # Slack takes 40,000
_MEMBER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_MOMENT = re.compile(r"\b(\d{4}-\d\d-\d\d \d\d:\d\d) UTC\b", re.ASCII)
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_MARKS = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_"}


def escaped(text: str) -> str:
    """Text in which Slack sees no mention, channel or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """One line, cleaned and escaped, of at most `limit` characters as Slack counts them: escaped."""
    shown = clean(text, limit)
    whole = escaped(shown)
    while len(whole) > limit:
        shown = shown[: -(1 + (len(whole) - limit) // len("&amp;"))]
        whole = escaped(shown) + ELLIPSIS
    return whole


def literal(text: str, limit: int) -> str:
    """The same of text from outside, in which no code begins either, which would swallow our links."""
    return fitted(text.replace("`", "ˋ"), limit)


def span(text: str, limit: int = 200) -> str:
    """A code span; Slack knows no way to put a backtick into one, so they become `ˋ`."""
    return f"`{literal(text, limit) or '(empty)'}`"


def cut(text: str, limit: int) -> str:
    """Markup of at most `limit` characters that ends within no link, mention or escaped character of it."""
    if len(text) <= limit:
        return text
    kept = text[: limit - 1]
    for opening, closing in (("<", ">"), ("&", ";")):
        at = kept.rfind(opening)
        if at >= 0 and closing not in kept[at:]:
            kept = kept[:at]
    return kept + ELLIPSIS


def link(address: str, label: str, limit: int = 200) -> str:
    """A link of ours; the label is from outside."""
    return f"<{escaped(url(address)).replace('|', '%7C')}|{literal(label, limit).replace('|', '¦')}>"


def mention(member: str) -> str | None:
    """A person of Slack by id, who is told of it; None for what is no id."""
    return f"<@{member}>" if _MEMBER.fullmatch(member) else None


def date(at: float) -> str:
    """A moment in the zone of whoever reads it, and in UTC where Slack does not know that.

    https://docs.slack.dev/messaging/formatting-message-text#date-formatting
    """
    return f"<!date^{int(at)}^{{date_short_pretty}} {{time}}|{moment(at)}>"


def zoned(text: str) -> str:
    """Escaped text with the moments in it (as `vocabulary.moment` writes them) in the reader's zone.

    Those in code stay: Slack reads no markup there.
    """
    pieces = text.split("`")
    pieces[::2] = [_MOMENT.sub(_dated, piece) for piece in pieces[::2]]
    return "`".join(pieces)


def _dated(found: "re.Match[str]") -> str:
    try:
        return date(datetime.fromisoformat(f"{found[1]}+00:00").timestamp())
    except ValueError:
        return found[0]


def slack_text(markdown: str) -> str:
    """A reply that was written in Markdown, as Slack writes it and within what Slack takes."""
    markdown = shortened(markdown, TEXT_CHARACTERS)
    while len(text := _converted(markdown)) > TEXT_CHARACTERS:
        markdown = shortened(markdown, len(markdown) // 2)
    return text


def words(markdown: str, limit: int) -> str:
    """One paragraph that was written in Markdown as text alone, for where Slack takes no markup."""
    kept = (token for block in _MARKDOWN.parseInline(markdown) for token in block.children or ())
    text = "".join(" " if token.type in ("softbreak", "hardbreak") else token.content for token in kept)
    return clean(text, limit)


def _converted(markdown: str) -> str:
    blocks: list[str] = []
    bullet = ""
    for token in _MARKDOWN.parse(markdown):
        if token.type == "list_item_open":
            bullet = "• "
        elif token.type == "list_item_close":
            bullet = ""
        elif token.type in ("fence", "code_block"):
            blocks.append("```\n" + escaped(token.content.replace("```", "ˋˋˋ")) + "```")
        elif token.type == "inline":
            blocks.append(bullet + "".join(_inline(token.children or ())))
            bullet = "  " if bullet else ""
    return "\n".join(blocks)


def _inline(tokens: Iterable[Token]) -> Iterable[str]:
    for token in tokens:
        if token.type == "code_inline":
            yield span(token.content, 500)
        elif token.type == "link_open":
            yield f"<{escaped(url(str(token.attrGet('href') or '')))}|"
        elif token.type == "link_close":
            yield ">"
        elif token.type in ("softbreak", "hardbreak"):
            yield "\n"
        elif token.type in _MARKS:
            yield _MARKS[token.type]
        else:
            yield zoned(escaped(token.content.replace("`", "ˋ")))
