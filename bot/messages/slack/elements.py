"""Every block and element that Errand sends, within Slack's limits: they are kept here, and only here.

Two kinds of text: `plain` is shown as it is, `mrkdwn` is markup of ours whose parts from outside have gone
through `bot.messages.mrkdwn` (`fitted`, `span`, `link`). What is no text cannot be cut without meaning
something else: an id, a value or an address that is too long is a `ValueError`.

https://docs.slack.dev/reference/block-kit/blocks, .../block-elements, .../composition-objects
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bot.messages.mrkdwn import cut
from bot.messages.text import clean, fitting, shortened, url

Block = dict[str, Any]
Style = Literal["primary", "danger"]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
"""Blocks of a modal, and of a Home."""
MESSAGE_CHARACTERS = 12_000
"""All blocks of a message together, counted as JSON."""
TEXT_CHARACTERS = 3000
FIELD_CHARACTERS = 2000
FIELDS = 10
HEADER_CHARACTERS = 150
CONTEXT_ELEMENTS = 10
ACTION_ELEMENTS = 25
BUTTON_CHARACTERS = 75
BUTTON_VALUE_CHARACTERS = 2000
URL_CHARACTERS = 3000
ID_CHARACTERS = 255
CONFIRM_TITLE_CHARACTERS, CONFIRM_TEXT_CHARACTERS, CONFIRM_BUTTON_CHARACTERS = 100, 300, 30
OPTION_CHARACTERS = 75
OPTION_VALUE_CHARACTERS = 150
OPTIONS = 100
"""Options of a menu; more of them are an `external_select`, which is asked for them as somebody types."""
CHECKBOXES = 10
PLACEHOLDER_CHARACTERS = 150
LABEL_CHARACTERS = 2000
INPUT_CHARACTERS = 3000
VIEW_TITLE_CHARACTERS = 24
METADATA_CHARACTERS = 3000
SERIES, POINTS, TITLE_OF_CHART, LABEL_OF_CHART = 6, 20, 50, 20
TABLE_ROWS, TABLE_COLUMNS, TABLE_CHARACTERS = 100, 20, 10_000
"""Of a table, without its head, and of all its cells together."""
CAPTION = 150
PICTURES = frozenset({"data_visualization", "data_table"})
"""Blocks that a workspace may not know yet."""
EMPTY = "(empty)"
"""Stands where Slack takes no empty text."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

# Texts -------------------------------------------------------------------------------------------


def plain(text: str, limit: int) -> Block:
    """Text in one line that is shown as it is: no markup, no emoji by name."""
    return {"type": "plain_text", "text": clean(text, limit) or EMPTY, "emoji": False}


def mrkdwn(text: str, limit: int = TEXT_CHARACTERS) -> Block:
    """Markup of ours. `verbatim` keeps Slack from linking addresses, channels and people itself."""
    return {"type": "mrkdwn", "text": cut(text, limit) or EMPTY, "verbatim": True}


def address(to: str | None, limit: int = URL_CHARACTERS) -> str | None:
    """An address fit for a button, or within `limit` for a text; None where Slack would not take it."""
    if to is None or not to.startswith(("https://", "http://")) or len(to) > limit:
        return None
    found = url(to)
    return found if len(found) <= limit else None


# Blocks ------------------------------------------------------------------------------------------


def section(text: str, *, accessory: Block | None = None, block_id: str | None = None) -> Block:
    """A paragraph of mrkdwn, perhaps with one element (a button, a menu) beside it."""
    return _block("section", block_id, text=mrkdwn(text), **_some(accessory=accessory))


def fields(*texts: str) -> Block:
    """Up to ten short texts of mrkdwn in two columns."""
    return {"type": "section", "fields": [mrkdwn(text, FIELD_CHARACTERS) for text in texts[:FIELDS]]}


def context(*texts: str) -> Block:
    """Small texts of mrkdwn, side by side."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts[:CONTEXT_ELEMENTS]]}


def header(text: str) -> Block:
    """A line in large letters."""
    return {"type": "header", "text": plain(text, HEADER_CHARACTERS)}


def divider() -> Block:
    """A line between blocks."""
    return {"type": "divider"}


def actions(*elements: Block, block_id: str | None = None) -> Block:
    """Up to 25 buttons and menus in a row; there must be one. Their action ids differ within the block."""
    return _block("actions", block_id, elements=list(elements[:ACTION_ELEMENTS]))


def preformatted(lines: Sequence[str], *, limit: int, line_limit: int = 300) -> Block:
    """The last lines that fit. Rich text is taken literally: nothing in it is markup, nothing is escaped."""
    kept = fitting(lines, limit=limit, line_limit=line_limit)
    text = shortened("\n".join(kept), min(limit, TEXT_CHARACTERS)) or " "
    element = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [element]}


# Pictures ----------------------------------------------------------------------------------------


def bar_chart(title: str, series: Mapping[str, Sequence[float]], labels: Sequence[str], unit: str) -> Block:
    """A bar for each of up to 20 `labels`, which differ, of each of 1 to 6 series, with as many numbers.

    https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
    """
    if not 1 <= len(series) <= SERIES or not 1 <= len(labels) <= POINTS:
        raise ValueError(f"Slack takes 1 to {SERIES} series of 1 to {POINTS} points")
    names = [clean(label, LABEL_OF_CHART) or str(place) for place, label in enumerate(labels)]
    drawn = [
        {
            "name": clean(name, LABEL_OF_CHART),
            "data": [{"label": each, "value": value} for each, value in zip(names, values, strict=True)],
        }
        for name, values in series.items()
    ]
    axes = {"categories": names, "y_label": clean(unit, TITLE_OF_CHART)}
    chart = {"type": "bar", "series": drawn, "axis_config": axes}
    return {"type": "data_visualization", "title": clean(title, TITLE_OF_CHART) or EMPTY, "chart": chart}


def data_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> Block:
    """A table of 1 to 100 rows that whoever reads it sorts and filters; numbers are sorted as such.

    Texts are cut so that all of them fit. https://docs.slack.dev/reference/block-kit/blocks/data-table-block
    """
    if not 1 <= len(rows) <= TABLE_ROWS or not 1 <= len(head) <= TABLE_COLUMNS:
        raise ValueError(f"Slack takes 1 to {TABLE_ROWS} rows of 1 to {TABLE_COLUMNS} columns")
    limit = max(TABLE_CHARACTERS // ((len(rows) + 1) * len(head)), 2)
    cells = [[_cell(value, limit) for value in row] for row in (head, *rows)]
    return {"type": "data_table", "caption": clean(caption, CAPTION) or EMPTY, "rows": cells, "page_size": 10}


def _cell(value: str | int, limit: int) -> Block:
    if isinstance(value, int):
        return {"type": "raw_number", "value": value, "text": str(value)}
    return {"type": "raw_text", "text": clean(value, limit) or "–"}


# Buttons -----------------------------------------------------------------------------------------


def button(
    text: str, action: str, value: str = "", *, style: Style | None = None, confirm: Block | None = None
) -> Block:
    """A button that tells us its `value`; with `confirm` Slack asks first."""
    more = _some(value=_whole(value, BUTTON_VALUE_CHARACTERS) or None, style=style, confirm=confirm)
    return _element("button", action, text=plain(text, BUTTON_CHARACTERS), **more)


def link_button(text: str, action: str, link: str, *, style: Style | None = None) -> Block:
    """A button that opens an `address`; Slack tells us of the press as well."""
    more = _some(style=style)
    return _element(
        "button", action, text=plain(text, BUTTON_CHARACTERS), url=_whole(link, URL_CHARACTERS), **more
    )


def confirm(title: str, text: str, *, yes: str, no: str = "No", style: Style | None = None) -> Block:
    """The question before something happens."""
    return {
        "title": plain(title, CONFIRM_TITLE_CHARACTERS),
        "text": plain(text, CONFIRM_TEXT_CHARACTERS),
        "confirm": plain(yes, CONFIRM_BUTTON_CHARACTERS),
        "deny": plain(no, CONFIRM_BUTTON_CHARACTERS),
        **_some(style=style),
    }


# Inputs ------------------------------------------------------------------------------------------


def input_block(
    label: str, element: Block, *, block_id: str, hint: str | None = None, optional: bool = False
) -> Block:
    """An element of a form with its label above and a hint below it."""
    shown = plain(hint, LABEL_CHARACTERS) if hint else None
    named = plain(label, LABEL_CHARACTERS)
    return _block("input", block_id, label=named, element=element, optional=optional, **_some(hint=shown))


def option(text: str, value: str, *, description: str | None = None) -> Block:
    """A choice of a menu or a checkbox; its value has 1 to 150 characters."""
    if not value:
        raise ValueError("an option has a value")
    about = plain(description, OPTION_CHARACTERS) if description else None
    whole = _whole(value, OPTION_VALUE_CHARACTERS)
    return {"text": plain(text, OPTION_CHARACTERS), "value": whole, **_some(description=about)}


def static_select(
    action: str, options: Sequence[Block], *, initial: Block | None = None, placeholder: str | None = None
) -> Block:
    """A menu of 1 to 100 options, with `initial`, which is one of them, chosen."""
    more = _some(initial_option=initial, placeholder=_placeholder(placeholder))
    return _element("static_select", action, options=_options(options), **more)


def multi_static_select(
    action: str,
    options: Sequence[Block],
    *,
    initial: Sequence[Block] = (),
    most: int | None = None,
    placeholder: str | None = None,
) -> Block:
    """A menu of which up to `most` options may be chosen."""
    more = _some(
        initial_options=list(initial) or None, max_selected_items=most, placeholder=_placeholder(placeholder)
    )
    return _element("multi_static_select", action, options=_options(options), **more)


def external_select(
    action: str, *, initial: Block | None = None, characters: int = 0, placeholder: str | None = None
) -> Block:
    """A menu whose options Slack asks us for, from so many typed `characters` on."""
    more = _some(initial_option=initial, placeholder=_placeholder(placeholder))
    return _element("external_select", action, min_query_length=characters, **more)


def conversations_select(action: str, *, initial: str | None = None) -> Block:
    """The channels of a person; the one that they look at is chosen unless `initial` is.

    In a form Slack gives with it an address that takes answers there, also where the app is no member.
    https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#conversations_select
    """
    more = _some(initial_conversation=initial, default_to_current_conversation=initial is None or None)
    return _element("conversations_select", action, response_url_enabled=True, **more)


def checkboxes(action: str, options: Sequence[Block], *, initial: Sequence[Block] = ()) -> Block:
    """1 to 10 options to tick."""
    more = _some(initial_options=list(initial) or None)
    return _element("checkboxes", action, options=_options(options, CHECKBOXES), **more)


def number_input(
    action: str,
    *,
    decimal: bool = False,
    initial: str | None = None,
    least: str | None = None,
    most: str | None = None,
) -> Block:
    """A number; numbers are given and told as text. What is no number is not filled in."""
    fit = initial if initial is not None and _NUMBER.fullmatch(initial) else None
    more = _some(initial_value=fit, min_value=least, max_value=most)
    return _element("number_input", action, is_decimal_allowed=decimal, **more)


def date_picker(action: str, *, initial: str | None = None, placeholder: str | None = None) -> Block:
    """A day (`2026-01-31`). What is no day is not filled in."""
    fit = initial if initial is not None and _DATE.fullmatch(initial) else None
    return _element("datepicker", action, **_some(initial_date=fit, placeholder=_placeholder(placeholder)))


def text_input(
    action: str,
    *,
    initial: str | None = None,
    multiline: bool = False,
    most: int | None = None,
    placeholder: str | None = None,
) -> Block:
    """A text of up to `most` (at most 3,000) characters; a longer one is not filled in, nor cut."""
    limit = min(most or INPUT_CHARACTERS, INPUT_CHARACTERS)
    fit = initial if initial and len(initial) <= limit and _is_text(initial) else None
    more = _some(initial_value=fit, placeholder=_placeholder(placeholder))
    return _element("plain_text_input", action, multiline=multiline, max_length=limit, **more)


# Views -------------------------------------------------------------------------------------------


def modal(
    title: str,
    blocks: Sequence[Block],
    *,
    callback_id: str,
    submit: str | None = None,
    close: str = "Close",
    metadata: Mapping[str, Any] | None = None,
) -> Block:
    """A form; `submit` is the word on its button, None where there is nothing to submit.

    `metadata` comes back as JSON. https://docs.slack.dev/reference/views/modal-views
    """
    sent = plain(submit, VIEW_TITLE_CHARACTERS) if submit else None
    return {
        "type": "modal",
        "title": plain(title, VIEW_TITLE_CHARACTERS),
        "close": plain(close, VIEW_TITLE_CHARACTERS),
        "callback_id": _whole(callback_id, ID_CHARACTERS),
        "private_metadata": _whole(_json(metadata), METADATA_CHARACTERS),
        "blocks": list(blocks[:VIEW_BLOCKS]),
        **_some(submit=sent),
    }


def home(blocks: Sequence[Block], *, metadata: Mapping[str, Any] | None = None) -> Block:
    """The Home of one person. https://docs.slack.dev/reference/views/home-tab-views"""
    private = _whole(_json(metadata), METADATA_CHARACTERS)
    return {"type": "home", "private_metadata": private, "blocks": list(blocks[:VIEW_BLOCKS])}


def size(blocks: Sequence[Block]) -> int:
    """The characters of blocks as JSON."""
    return len(json.dumps(list(blocks), separators=(",", ":"), ensure_ascii=False))


# -------------------------------------------------------------------------------------------------


def _block(kind: str, block_id: str | None, **parts: Any) -> Block:
    named = _some(block_id=None if block_id is None else _whole(block_id, ID_CHARACTERS))
    return {"type": kind, **named, **parts}


def _element(kind: str, action: str, **parts: Any) -> Block:
    return {"type": kind, "action_id": _whole(str(action), ID_CHARACTERS), **parts}


def _some(**parts: Any) -> dict[str, Any]:
    """Those of the parts that are there: Slack takes no null."""
    return {name: part for name, part in parts.items() if part is not None}


def _whole(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"Slack takes {limit} characters here, not {len(text)}")
    return text


def _options(options: Sequence[Block], most: int = OPTIONS) -> list[Block]:
    if not 1 <= len(options) <= most:
        raise ValueError(f"Slack takes 1 to {most} options here, not {len(options)}")
    return list(options)


def _placeholder(text: str | None) -> Block | None:
    return plain(text, PLACEHOLDER_CHARACTERS) if text else None


def _json(metadata: Mapping[str, Any] | None) -> str:
    return "" if metadata is None else json.dumps(metadata, separators=(",", ":"))


def _is_text(text: str) -> bool:
    """Whether it can be sent and comes back as it was: without NUL, and without half a character."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
