"""Rich text. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block"""

from typing import Any

from demo.blocks.checks import Check, array, boolean, number, one_of, record, string, typed, url

PARTS = 1000
_STYLED = {
    "style": record({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline"), boolean)),
}
_ID = string(100)

_PARTS: dict[str, Check] = {
    "text": record({"text": string(3000)}, _STYLED),
    "link": record({"url": url}, {**_STYLED, "text": string(3000), "unsafe": boolean}),
    "emoji": record({"name": string(100)}, {**_STYLED, "unicode": string(100)}),
    "user": record({"user_id": _ID}, _STYLED),
    "usergroup": record({"usergroup_id": _ID}, _STYLED),
    "channel": record({"channel_id": _ID}, _STYLED),
    "broadcast": record({"range": one_of("here", "channel", "everyone")}, _STYLED),
    "color": record({"value": string(20)}, _STYLED),
    "date": record(
        {"timestamp": number(0), "format": string(200)}, {**_STYLED, "url": url, "fallback": string(200)}
    ),
}
_PREFORMATTED = {name: _PARTS[name] for name in ("text", "link")}
_BORDER = {"border": one_of(0, 1)}
_SECTION = record({"elements": array(typed(_PARTS), PARTS, least=0)})
_LIST = record(
    {"style": one_of("bullet", "ordered"), "elements": array(typed({"rich_text_section": _SECTION}), PARTS)},
    {**_BORDER, "indent": number(0, 8), "offset": number(0)},
)
_KINDS: dict[str, Check] = {
    "rich_text_section": _SECTION,
    "rich_text_list": _LIST,
    "rich_text_quote": record({"elements": array(typed(_PARTS), PARTS)}, _BORDER),
    "rich_text_preformatted": record(
        {"elements": array(typed(_PREFORMATTED), PARTS)}, {**_BORDER, "language": string(50)}
    ),
}


def rich_text(block: Any, where: str) -> None:
    """A block of rich text, without its `type`."""
    record({"elements": array(typed(_KINDS), PARTS)})(block, where)


def characters(value: Any) -> int:
    """How many characters a person reads in a cell or a block."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(value[name]) for name in ("elements",) if name in value)
    return sum(characters(each) for each in value) if isinstance(value, list) else 0
