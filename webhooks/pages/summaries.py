"""The summary that a job wrote, as HTML: nothing of it is taken as it came."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

from markupsafe import Markup, escape

from bot.messages.summaries import Block, Span, Spans, blocks

_STYLES = {"strong": "strong", "emphasis": "em", "struck": "del", "code": "code"}


@lru_cache(maxsize=16)  # of a run that many look at
def html(summary: str) -> Markup:
    """The summary; a link tells its target nothing of the page that it stands on."""
    runs = groupby(blocks(summary), lambda block: (block.kind == "item", block.number is None))
    parts = [
        _list(list(found), ordered=not plain) if is_item else Markup("").join(map(_block, found))
        for (is_item, plain), found in runs
    ]
    return Markup("").join(parts)


def _list(items: Sequence[Block], *, ordered: bool) -> Markup:
    """Items with their depth as a class: lists in lists would have to be closed as they were written."""
    first = items[0].number or 1
    inner = Markup("").join(
        Markup('<li class="deep{}">{}</li>').format(item.level, _spans(item.spans)) for item in items
    )
    return (
        Markup('<ol start="{}">{}</ol>').format(first, inner)
        if ordered
        else Markup("<ul>{}</ul>").format(inner)
    )


def _block(block: Block) -> Markup:
    match block.kind:
        case "heading":
            level = min(block.level + 2, 6)
            return Markup("<h{0}>{1}</h{0}>").format(level, _spans(block.spans))
        case "quote":
            return Markup("<blockquote>{}</blockquote>").format(_spans(block.spans))
        case "code":
            return Markup("<pre><code>{}</code></pre>").format("\n".join(block.lines))
        case "rule":
            return Markup("<hr>")
        case "table":
            head, *rows = block.rows
            body = Markup("").join(_row(row, "td") for row in rows)
            return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(_row(head, "th"), body)
        case _:
            return Markup("<p>{}</p>").format(_spans(block.spans))


def _row(cells: Sequence[Spans], tag: str) -> Markup:
    inner = Markup("").join(Markup("<{0}>{1}</{0}>").format(Markup(tag), _spans(cell)) for cell in cells)  # noqa: S704
    return Markup("<tr>{}</tr>").format(inner)


def _spans(spans: Spans) -> Markup:
    return Markup("").join(map(_span, spans))


def _span(piece: Span) -> Markup:
    if piece.url is not None:
        link = Markup('<a href="{}" rel="nofollow noopener noreferrer">{}</a>')
        return link.format(piece.url, piece.text)
    tag = _STYLES.get(piece.style)
    if tag is None:
        return escape(piece.text)
    return Markup(f"<{tag}>{{}}</{tag}>").format(piece.text)  # noqa: S704
