"""What a person finds in a message or a view: elements to press, inputs to fill, and their values.

https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload#view_submission
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from demo.slack.shapes import with_block_ids
from demo.slack.workspace import Json

TEXTS = ("plain_text_input", "email_text_input", "url_text_input")
MENUS = ("static_select", "external_select", "radio_buttons")
LISTS = ("checkboxes", "multi_static_select", "multi_external_select")
PICKERS = {
    "datepicker": ("initial_date", "selected_date"),
    "timepicker": ("initial_time", "selected_time"),
    "datetimepicker": ("initial_date_time", "selected_date_time"),
    "users_select": ("initial_user", "selected_user"),
    "conversations_select": ("initial_conversation", "selected_conversation"),
    "channels_select": ("initial_channel", "selected_channel"),
}


class Unfillable(Exception):
    """Slack's own form would not let a person send this; by block, what is wrong."""

    def __init__(self, mistakes: dict[str, str]) -> None:
        super().__init__(str(mistakes))
        self.mistakes = mistakes


@dataclass(frozen=True, slots=True)
class Element:
    """Something interactive and the block that it stands in."""

    block: Json
    content: Json

    @property
    def block_id(self) -> str:
        """The block's own id or the one that Slack gave it."""
        number: str = self.block["block_id"]
        return number


def elements(blocks: list[Json]) -> Iterator[Element]:
    """Everything in these blocks that has an `action_id`."""
    for block in with_block_ids(blocks):
        inner = [block.get("element"), block.get("accessory")]
        if block["type"] in ("actions", "context_actions"):
            inner += block["elements"]
        elif block["type"] == "card":
            inner += block.get("actions", [])
        for each in inner:
            if isinstance(each, dict) and "action_id" in each:
                yield Element(block, each)


def initial_values(blocks: list[Json]) -> dict[str, dict[str, Json]]:
    """What stands in the inputs of these blocks before anybody has typed, as `state.values` says it."""
    values: dict[str, dict[str, Json]] = {}
    for element in elements(blocks):
        content = element.content
        state = _initial(content["type"], content)
        if state is not None:
            values.setdefault(element.block_id, {})[content["action_id"]] = state
    return values


def _initial(kind: str, content: Json) -> Json | None:
    if kind in TEXTS or kind == "number_input":
        return {"type": kind, "value": content.get("initial_value")}
    if kind in MENUS:
        return {"type": kind, "selected_option": content.get("initial_option")}
    if kind in LISTS:
        return {"type": kind, "selected_options": content.get("initial_options", [])}
    if kind in PICKERS:
        initial, selected = PICKERS[kind]
        return {"type": kind, selected: content.get(initial)}
    return None


def filled(element: Json, value: Any, options: list[Json] | None = None) -> Json:
    """The state of an input when a person has entered `value`; `options` are those of a menu with a search.

    A menu takes the value or the label of an option, checkboxes a list of them or True for all.
    """
    kind = element["type"]
    if kind in TEXTS or kind == "number_input":
        return {"type": kind, "value": None if value in (None, "") else str(value)}
    if kind in PICKERS:
        return {"type": kind, PICKERS[kind][1]: value}
    known = options if options is not None else _options(element)
    if kind in MENUS:
        return {"type": kind, "selected_option": None if value is None else _option(known, value)}
    if kind in LISTS:
        chosen = known if value is True else [_option(known, each) for each in value or []]
        return {"type": kind, "selected_options": chosen}
    raise LookupError(f"nobody can fill in a {kind}")


def _options(element: Json) -> list[Json]:
    groups = element.get("option_groups")
    return [each for group in groups for each in group["options"]] if groups else element.get("options", [])


def _option(options: list[Json], choice: Any) -> Json:
    for option in options:
        if choice in (option.get("value"), option["text"]["text"]):
            return option
    raise LookupError(f"there is no option {choice!r} among {[each.get('value') for each in options]}")


def mistakes(blocks: list[Json], values: dict[str, dict[str, Json]]) -> dict[str, str]:
    """What Slack itself says to a person before the form is sent, by block."""
    wrong = {}
    for element in elements(blocks):
        if element.block["type"] != "input":
            continue
        state = values[element.block_id][element.content["action_id"]]
        entry = next((state[name] for name in state if name != "type"), None)
        if entry in (None, "", []):
            if not element.block.get("optional", False):
                wrong[element.block_id] = "Please complete this required field."
        elif (mistake := _mistake(element.content, entry)) is not None:
            wrong[element.block_id] = mistake
    return wrong


def _mistake(element: Json, entry: Any) -> str | None:
    kind = element["type"]
    if kind == "plain_text_input":
        short, long = element.get("min_length", 0), element.get("max_length", 3000)
        return None if short <= len(entry) <= long else f"must have {short} to {long} characters"
    if kind == "number_input":
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?" if element["is_decimal_allowed"] else r"-?[0-9]+", entry):
            return "is no number"
        low, high = float(element.get("min_value", "-inf")), float(element.get("max_value", "inf"))
        return None if low <= float(entry) <= high else f"must be from {low} to {high}"
    if kind == "datepicker":
        return None if re.fullmatch(r"\d{4}-\d{2}-\d{2}", entry) else "is no date"
    return None
