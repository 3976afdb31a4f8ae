"""What Slack accepts as blocks: https://docs.slack.dev/reference/block-kit/blocks"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

BLOCKS = 50
VIEW_BLOCKS = 100
TITLE_CHARACTERS = 24
TEXT_CHARACTERS = 3000
HEADER_CHARACTERS = 150
FIELDS = 10
FIELD_CHARACTERS = 2000
CONTEXT_ELEMENTS = 10
ACTIONS = 25
BLOCK_ID_CHARACTERS = 255


class InvalidBlocks(Exception):
    """Why Slack would say `invalid_blocks`, with the place in the blocks."""


def check_blocks(blocks: Any, *, refused: Collection[str] = (), most: int = BLOCKS) -> None:
    """Raise `InvalidBlocks` unless Slack would take `blocks`; `refused` types it does not know."""
    if not isinstance(blocks, list):
        raise InvalidBlocks("must be an array [json-pointer:/blocks]")
    if len(blocks) > most:
        raise InvalidBlocks(f"no more than {most} items allowed [json-pointer:/blocks]")
    ids: set[str] = set()
    for index, block in enumerate(blocks):
        where = f"/blocks/{index}"
        if not isinstance(block, dict):
            raise InvalidBlocks(f"must be an object [json-pointer:{where}]")
        kind = block.get("type")
        check = _KINDS.get(kind) if isinstance(kind, str) and kind not in refused else None
        if check is None:
            raise InvalidBlocks(f"unsupported type: {kind} [json-pointer:{where}/type]")
        block_id = block.get("block_id")
        if block_id is not None:
            if not isinstance(block_id, str) or len(block_id) > BLOCK_ID_CHARACTERS or block_id in ids:
                raise InvalidBlocks(f"invalid or repeated block_id [json-pointer:{where}/block_id]")
            ids.add(block_id)
        check({key: value for key, value in block.items() if key != "block_id"}, where)


def check_view(view: Any, *, kinds: Collection[str], refused: Collection[str] = ()) -> None:
    """Raise `InvalidBlocks` unless Slack would show `view`, a view of one of `kinds`."""
    if not isinstance(view, dict) or view.get("type") not in kinds:
        raise InvalidBlocks(f"must be a view of {' or '.join(kinds)} [json-pointer:/view]")
    check_blocks(view.get("blocks"), refused=refused, most=VIEW_BLOCKS)
    if view["type"] == "modal":
        for name in ("title", "submit", "close"):
            if name == "title" or name in view:
                _text(view.get(name), f"/view/{name}", limit=TITLE_CHARACTERS, kinds=("plain_text",))


def _anything(block: Mapping[str, Any], where: str) -> None:
    """Checked by Slack more closely than here."""


def _keys(block: Mapping[str, Any], where: str, allowed: set[str]) -> None:
    extra = set(block) - allowed - {"type"}
    if extra:
        raise InvalidBlocks(f"no additional properties allowed: {min(extra)} [json-pointer:{where}]")


def _text(
    value: Any, where: str, *, limit: int = TEXT_CHARACTERS, kinds: tuple[str, ...] = ("mrkdwn", "plain_text")
) -> None:
    if not isinstance(value, dict) or value.get("type") not in kinds:
        raise InvalidBlocks(f"must be a text object of {' or '.join(kinds)} [json-pointer:{where}]")
    _keys(value, where, {"text", "verbatim"} if value["type"] == "mrkdwn" else {"text", "emoji"})
    text = value.get("text")
    if not isinstance(text, str) or not text:
        raise InvalidBlocks(f"must be more than 0 characters [json-pointer:{where}/text]")
    if len(text) > limit:
        raise InvalidBlocks(f"must be less than {limit + 1} characters [json-pointer:{where}/text]")


def _section(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, {"text", "fields", "accessory", "expand"})
    fields = block.get("fields")
    if "text" not in block and not fields:
        raise InvalidBlocks(f"missing required field: text or fields [json-pointer:{where}]")
    if "text" in block:
        _text(block["text"], f"{where}/text")
    if fields is not None:
        if not isinstance(fields, list) or not 1 <= len(fields) <= FIELDS:
            raise InvalidBlocks(f"no more than {FIELDS} items allowed [json-pointer:{where}/fields]")
        for index, field in enumerate(fields):
            _text(field, f"{where}/fields/{index}", limit=FIELD_CHARACTERS)


def _header(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, {"text"})
    _text(block.get("text"), f"{where}/text", limit=HEADER_CHARACTERS, kinds=("plain_text",))


def _divider(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, set())


def _context(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, {"elements"})
    for index, element in enumerate(_elements(block, where, CONTEXT_ELEMENTS)):
        if isinstance(element, dict) and element.get("type") == "image":
            continue
        _text(element, f"{where}/elements/{index}")


def _actions(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, {"elements"})
    _elements(block, where, ACTIONS)


def _rich_text(block: Mapping[str, Any], where: str) -> None:
    _keys(block, where, {"elements"})
    for index, element in enumerate(_elements(block, where, BLOCKS)):
        here = f"{where}/elements/{index}"
        kinds = ("rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_list")
        if not isinstance(element, dict) or element.get("type") not in kinds:
            raise InvalidBlocks(f"unsupported rich text element [json-pointer:{here}]")
        _keys(element, here, {"elements", "border", "style", "indent", "offset", "language"})
        for inner, part in enumerate(_elements(element, here, 1000)):
            _rich_part(part, f"{here}/elements/{inner}")


def _rich_part(part: Any, where: str) -> None:
    if not isinstance(part, dict) or part.get("type") not in ("text", "link", "emoji"):
        raise InvalidBlocks(f"unsupported rich text part [json-pointer:{where}]")
    if part["type"] == "text" and (not isinstance(part.get("text"), str) or not part["text"]):
        raise InvalidBlocks(f"must be more than 0 characters [json-pointer:{where}/text]")
    if part["type"] == "text" and len(part["text"]) > TEXT_CHARACTERS:
        raise InvalidBlocks(f"must be less than {TEXT_CHARACTERS + 1} characters [json-pointer:{where}/text]")


def _elements(block: Mapping[str, Any], where: str, most: int) -> list[Any]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= most:
        raise InvalidBlocks(f"between 1 and {most} items allowed [json-pointer:{where}/elements]")
    return elements


_KINDS: dict[str, Callable[[Mapping[str, Any], str], None]] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "context": _context,
    "actions": _actions,
    "rich_text": _rich_text,
    "input": _anything,
    "image": _anything,
    "markdown": _anything,
    "table": _anything,
    "alert": _anything,
    "data_table": _anything,
    "data_visualization": _anything,
}
