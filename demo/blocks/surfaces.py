"""Whole messages, modals and Homes: which blocks, how many, and what must differ.

https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/reference/views
"""

from collections.abc import Collection
from typing import Any

from demo.blocks.checks import Check, array, boolean, plain, record, refuse, string, typed
from demo.blocks.elements import GROUP, GROUPS, OPTIONS, PLAIN_OPTION
from demo.blocks.layout import BLOCK_ID, KINDS, MARKDOWN_CHARACTERS
from demo.blocks.rich_text import characters
from demo.blocks.tables import CELL_CHARACTERS

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
CHARTS = 2

_VIEWS = {
    "actions",
    "card",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "video",
}
_HOMES = {"carousel", "data_table", "data_visualization", "table"}
SURFACES = {
    "message": set(KINDS) - {"alert"},
    "modal": _VIEWS | {"alert"},
    "home": _VIEWS | _HOMES,
}
"""Which blocks each surface shows, as the pages of the blocks say."""


def check_blocks(
    blocks: Any, *, surface: str = "message", refused: Collection[str] = (), where: str = "/blocks"
) -> None:
    """Raise `InvalidBlocks` unless Slack would take `blocks`; `refused` types it does not know yet."""
    known = {kind: _with_id(KINDS[kind]) for kind in SURFACES[surface] if kind not in refused}
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    array(typed(known), most, least=0)(blocks, where)
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    for index, each in enumerate(ids):
        if each in ids[:index]:
            raise refuse(f"block_id {each} already exists", where)
    _check_sums(blocks, where)


def _with_id(check: Check) -> Check:
    def checked(block: Any, where: str) -> None:
        if "block_id" in block:
            BLOCK_ID(block["block_id"], f"{where}/block_id")
        check({name: each for name, each in block.items() if name != "block_id"}, where)

    return checked


def _check_sums(blocks: list[dict[str, Any]], where: str) -> None:
    """What all blocks of a kind have together."""
    kinds = [block["type"] for block in blocks]
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_CHARACTERS:
        raise refuse(f"all markdown has at most {MARKDOWN_CHARACTERS} characters", where)
    if kinds.count("data_visualization") > CHARTS:
        raise refuse(f"no more than {CHARTS} charts", where)
    cells = [block["rows"] for block in blocks if block["type"] in ("table", "data_table")]
    if characters(cells) > CELL_CHARACTERS:
        raise refuse(f"all cells have at most {CELL_CHARACTERS} characters", where)


def check_view(view: Any, *, kinds: Collection[str], refused: Collection[str] = ()) -> None:
    """Raise `InvalidBlocks` unless Slack would show `view`, a view of one of `kinds`."""
    if not isinstance(view, dict) or view.get("type") not in kinds:
        raise refuse(f"must be a view of {' or '.join(kinds)}", "/view")
    surface = view["type"]
    ids = {"private_metadata": string(3000, least=0), "callback_id": string(255), "external_id": string(255)}
    modal = {"submit": plain(24), "close": plain(24), "clear_on_close": boolean, "notify_on_close": boolean}
    title = {"title": plain(24)}
    parts = {**ids, **modal} if surface == "modal" else ids
    record(title if surface == "modal" else {}, parts, ignored=("type", "blocks"))(view, "/view")
    check_blocks(view.get("blocks"), surface=surface, refused=refused, where="/view/blocks")
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    if surface == "modal" and inputs and "submit" not in view:
        raise refuse("missing required field: submit, which a modal with inputs needs", "/view")
    focused = [block for block in inputs if block["element"].get("focus_on_load")]
    if len(focused) > 1:
        raise refuse("only one element can have focus_on_load", "/view/blocks")


def check_options(answer: Any) -> None:
    """Raise `InvalidBlocks` unless the answer to a `block_suggestion` is a menu's options.

    https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element#external_select
    """
    options = {
        "options": array(PLAIN_OPTION, OPTIONS, least=0),
        "option_groups": array(GROUP, GROUPS, least=0),
    }
    record({}, options)(answer, "")
    if len(answer) != 1:
        raise refuse("must have options or option_groups", "")
