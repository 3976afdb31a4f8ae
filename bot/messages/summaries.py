"""The Markdown that a job wrote as its summary, understood anew so that what is left is harmless. Pure.

A subset: headings, lists, quotes, tables, code, rules, emphasis, code spans and links to the web. The rest
is text, HTML too; an image is a link, so that nobody's browser tells its owner who looks. Each place writes
what was understood in its own syntax. It is read line by line, in a time that grows with its length alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

Kind = Literal["paragraph", "heading", "item", "quote", "code", "rule", "table"]
Style = Literal["", "strong", "emphasis", "struck", "code"]

BLOCKS = PIECES = 2000
"""What comes after so many parts is left out; after so many pieces a text is as it was written."""
_COLUMNS, _ROWS = 20, 200
_DEEPEST = 4

_FENCE = re.compile(
    r" {0,3}(`{3,}+|~{3,}+)([^`]*)"
)  # `+`: what it took it keeps, or a long line takes minutes
_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_ITEM = re.compile(r"( {0,40})(?:[-*+]|(\d{1,9})[.)])[ \t]+(.*)")
_QUOTE = re.compile(r" {0,3}>[ \t]?(.*)")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})")
_DELIMITER = re.compile(r":?-{1,50}:?")  # of one column: of all of them it could be read in many ways
_DELIMITERS = 1000
_CELL = re.compile(r"(?<!\\)\|")
_URL = r"<?(https?://[^\s<>()\"\\]{1,1500})>?(?:[ \t]+(?:\"[^\"]{0,200}\"|'[^']{0,200}'))?"
_INLINE = re.compile(
    r"(?P<ticks>`{1,5})(?P<code>[^`]{1,500})(?P=ticks)"
    rf"|!?\[(?P<label>[^\[\]]{{0,300}})\]\({_URL}\)"
    r"|<(?P<auto>https?://[^\s<>\"\\]{1,1500})>"
    r"|\*\*(?P<strong>[^*\s](?:[^*]{0,500}[^*\s])?)\*\*"
    r"|__(?P<strong2>[^_\s](?:[^_]{0,500}[^_\s])?)__(?!\w)"
    r"|~~(?P<struck>[^~\s](?:[^~]{0,500}[^~\s])?)~~"
    r"|\*(?P<em>[^*\s](?:[^*]{0,500}[^*\s])?)\*"
    r"|(?<!\w)_(?P<em2>[^_\s](?:[^_]{0,500}[^_\s])?)_(?!\w)"
    r"|\\(?P<literal>[!-/:-@\[-`{-~])"
)
_STYLES: dict[str, Style] = {
    "code": "code",
    "strong": "strong",
    "strong2": "strong",
    "struck": "struck",
    "em": "emphasis",
    "em2": "emphasis",
    "literal": "",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line: text as it is read, its style, and where it leads if it is a link."""

    text: str
    style: Style = ""
    url: str | None = None


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One part. `level` is a heading's, or how deep an item is; `number` is an item's, if it has one.

    `spans` are the text of all but code, whose `lines` are as they were, and tables, which have `rows` of
    cells, the first of them the head.
    """

    kind: Kind
    spans: Spans = ()
    level: int = 0
    number: int | None = None
    lines: tuple[str, ...] = ()
    rows: tuple[tuple[Spans, ...], ...] = ()


def blocks(markdown: str) -> list[Block]:
    """What a summary consists of."""
    found = list(islice(_blocks(markdown.expandtabs(4).split("\n")), BLOCKS + 1))
    if len(found) > BLOCKS:
        found[BLOCKS] = Block("paragraph", (Span("…"),))
    return found


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
        elif (fence := _FENCE.fullmatch(line)) is not None:
            end = _end_of(lines, at + 1, fence[1])
            yield Block("code", lines=tuple(lines[at + 1 : end]))
            at = end + 1
        elif (heading := _HEADING.fullmatch(line)) is not None:
            yield Block("heading", spans(heading[2].rstrip("#").rstrip(" \t")), level=len(heading[1]))
            at += 1
        elif _RULE.fullmatch(line) is not None:
            yield Block("rule")
            at += 1
        elif "|" in line and at + 1 < len(lines) and _is_delimiter(lines[at + 1]):
            end = _end_of_table(lines, at + 2)
            rows = [line, *lines[at + 2 : end]][:_ROWS]
            yield Block("table", rows=tuple(_cells(row) for row in rows))
            at = end
        else:
            end = _end_of_text(lines, at + 1)
            yield _text(line, lines[at + 1 : end])
            at = end


def _text(line: str, more: Sequence[str]) -> Block:
    rest = [each.strip() for each in more]
    if (item := _ITEM.fullmatch(line)) is not None:
        number = int(item[2]) if item[2] else None
        level = min(len(item[1]) // 2, _DEEPEST)
        return Block("item", spans("\n".join([item[3], *rest])), level=level, number=number)
    if (quote := _QUOTE.fullmatch(line)) is not None:
        return Block("quote", spans("\n".join([quote[1].strip(), *rest])))
    return Block("paragraph", spans("\n".join([line.strip(), *rest])))


def _end_of(lines: Sequence[str], at: int, fence: str) -> int:
    """Where the code ends that began with `fence`: the last line, if it never does."""
    while at < len(lines):
        line = lines[at].strip()
        if len(line) >= len(fence) and not line.strip(fence[0]):
            return at
        at += 1
    return at


def _end_of_text(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and lines[at].strip() and not _begins(lines[at]):
        at += 1
    return at


def _begins(line: str) -> bool:
    """Whether a block of its own begins here."""
    return any(each.fullmatch(line) for each in (_FENCE, _HEADING, _RULE, _ITEM, _QUOTE)) or "|" in line


def _is_delimiter(line: str) -> bool:
    if "-" not in line or "|" not in line or len(line) > _DELIMITERS:
        return False
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return all(_DELIMITER.fullmatch(cell.strip()) is not None for cell in cells)


def _end_of_table(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and "|" in lines[at]:
        at += 1
    return at


def _cells(line: str) -> tuple[Spans, ...]:
    inner = line.strip().removeprefix("|")
    cells = _CELL.split(inner)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return tuple(spans(cell.strip()) for cell in cells[:_COLUMNS])


def spans(text: str) -> Spans:
    """The pieces of a text; what is styled has no styles within it."""
    found: list[Span] = []
    at = 0
    for match in islice(_INLINE.finditer(text), PIECES):
        if match.start() > at:
            found.append(Span(text[at : match.start()]))
        found.append(_span(match))
        at = match.end()
    if at < len(text):
        found.append(Span(text[at:]))
    return tuple(found)


def _span(match: "re.Match[str]") -> Span:
    if match["auto"]:
        return Span(match["auto"], url=match["auto"])
    if match["label"] is not None:
        address = match[match.re.groupindex["label"] + 1]
        return Span(match["label"].strip() or address, url=address)
    name = next(name for name in _STYLES if match[name] is not None)
    return Span(match[name], _STYLES[name])
