"""Every kind of block. https://docs.slack.dev/reference/block-kit/blocks"""

from typing import Any

from demo.blocks.charts import data_visualization
from demo.blocks.checks import (
    Check,
    array,
    boolean,
    number,
    one_of,
    plain,
    record,
    refuse,
    string,
    text,
    typed,
    url,
)
from demo.blocks.elements import BUTTON, ID, IMAGE, INPUTS, MENUS, OVERFLOW, image
from demo.blocks.rich_text import rich_text
from demo.blocks.tables import data_table, table

MARKDOWN_CHARACTERS = 12_000


def _section(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/section-block"""
    accessory = typed({**BUTTON, **MENUS, **OVERFLOW, **IMAGE})
    parts = {"text": text(), "fields": array(text(2000), 10), "accessory": accessory, "expand": boolean}
    record({}, parts)(block, where)
    if "text" not in block and "fields" not in block:
        raise refuse("missing required field: text or fields", where)


def _actions(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/actions-block"""
    record({"elements": array(typed({**BUTTON, **MENUS, **OVERFLOW}), 25)})(block, where)
    ids = [each["action_id"] for each in block["elements"] if "action_id" in each]
    for index, each in enumerate(ids):
        if each in ids[:index]:
            raise refuse(f"action_id {each} already exists", f"{where}/elements")


def _input(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/input-block"""
    more = {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean}
    record({"label": plain(2000), "element": typed(INPUTS)}, more)(block, where)


def _image(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/image-block"""
    if "title" in block:
        plain(2000)(block["title"], f"{where}/title")
    image({name: each for name, each in block.items() if name != "title"}, where)


def _card(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/card-block"""
    mrkdwn = {"title": 150, "subtitle": 150, "body": 200}
    parts: dict[str, Check] = {name: text(most) for name, most in mrkdwn.items()}
    parts |= {"hero_image": typed(IMAGE), "icon": typed(IMAGE), "actions": array(typed(BUTTON), 3)}
    record({}, parts)(block, where)
    if not {"hero_image", "title", "actions", "body"} & set(block):
        raise refuse("must have a hero_image, a title, actions or a body", where)


def _video(block: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/video-block"""
    required = {"video_url": url, "thumbnail_url": url, "alt_text": string(2000), "title": plain(199)}
    names = {"author_name": string(49), "provider_name": string(49)}
    addresses = {"title_url": url, "provider_icon_url": url, "description": plain(200)}
    record(required, {**names, **addresses})(block, where)


def _context_element(value: Any, where: str) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        typed(IMAGE)(value, where)
    else:
        text()(value, where)


KINDS: dict[str, Check] = {
    "section": _section,
    "header": record({"text": plain(150)}, {"level": number(1, 4)}),
    "divider": record({}),
    "context": record({"elements": array(_context_element, 10)}),
    "actions": _actions,
    "input": _input,
    "image": _image,
    "rich_text": rich_text,
    "markdown": record({"text": string(MARKDOWN_CHARACTERS)}),
    "table": table,
    "data_table": data_table,
    "data_visualization": data_visualization,
    "alert": record({"text": text(200)}, {"level": one_of("default", "info", "warning", "error", "success")}),
    "card": _card,
    "carousel": record({"elements": array(typed({"card": _card}), 10)}),
    "video": _video,
}
"""A check for each, of what is beside its `type` and `block_id`."""

BLOCK_ID = ID
