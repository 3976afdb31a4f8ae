"""Block elements and what they are made of.

https://docs.slack.dev/reference/block-kit/block-elements, .../composition-objects
"""

from datetime import date
from typing import Any

from demo.blocks.checks import Check, array, boolean, number, one_of, plain, record, refuse, string, text, url

ID = string(255)
STYLE = one_of("primary", "danger")
CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)}, {"style": STYLE}
)
PLACEHOLDER = plain(150)
OPTIONS = 100
GROUPS = 100
CHOICES = 10  # of checkboxes and radio buttons

_LINES = {"description": plain(75)}
PLAIN_OPTION = record({"text": plain(75), "value": string(150)}, _LINES)
OPTION = record({"text": text(75), "value": string(150)}, {"description": text(75)})
OVERFLOW_OPTION = record({"text": plain(75), "value": string(150)}, {**_LINES, "url": url})
GROUP = record({"label": plain(75), "options": array(PLAIN_OPTION, OPTIONS)})

_NUMBER = r"-?[0-9]+(\.[0-9]+)?"
_USED = {"action_id": ID}
_ACTION = {**_USED, "confirm": CONFIRM}
_FOCUSED = {"focus_on_load": boolean}
_ENTRY = {"placeholder": PLACEHOLDER, **_FOCUSED}
_DISPATCH = {
    "dispatch_action_config": record(
        {"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)}
    )
}


def _day(value: Any, where: str) -> None:
    string(10, pattern=r"\d{4}-\d{2}-\d{2}")(value, where)
    try:
        date.fromisoformat(value)
    except ValueError:
        raise refuse("must be a date", where) from None


def _menu(check: Check, initial: str, most: int) -> Check:
    """A menu with options of its own: what is chosen at first is one of them, exactly."""

    def checked(value: Any, where: str) -> None:
        check(value, where)
        if ("options" in value) == ("option_groups" in value):
            raise refuse("must have options or option_groups", where)
        groups = value.get("option_groups", [])
        options = value.get("options") or [each for group in groups for each in group["options"]]
        if len(options) > most * max(len(groups), 1):
            raise refuse(f"no more than {most} items allowed", f"{where}/options")
        values = [each["value"] for each in options]
        if len(set(values)) < len(values):
            raise refuse("the values of options must differ", f"{where}/options")
        first = value.get(initial, [])
        for each in first if isinstance(first, list) else [first]:
            if each not in options:
                raise refuse("initial option must be one of the options", f"{where}/{initial}")

    return checked


def _text_input(value: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element"""
    lengths = {"min_length": number(0, 3000), "max_length": number(1, 3000)}
    rest = {"initial_value": string(3000, least=0), "multiline": boolean, **lengths}
    record({}, {**_USED, **_ENTRY, **_DISPATCH, **rest})(value, where)
    if value.get("min_length", 0) > value.get("max_length", 3000):
        raise refuse("min_length must not exceed max_length", where)
    if len(value.get("initial_value", "")) > value.get("max_length", 3000):
        raise refuse("initial_value is longer than max_length", where)


def _number_input(value: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/block-elements/number-input-element"""
    digits = string(100, pattern=_NUMBER)
    bounds = {"initial_value": digits, "min_value": digits, "max_value": digits}
    record({"is_decimal_allowed": boolean}, {**_USED, **_ENTRY, **_DISPATCH, **bounds})(value, where)
    if not value["is_decimal_allowed"] and any("." in value.get(each, "") for each in bounds):
        raise refuse("must be whole numbers", where)
    low, high = float(value.get("min_value", "-inf")), float(value.get("max_value", "inf"))
    if low > high or not low <= float(value.get("initial_value", max(low, min(high, 0.0)))) <= high:
        raise refuse("initial_value must be from min_value to max_value", where)


def _button(value: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/block-elements/button-element"""
    more = {"url": url, "value": string(2000), "style": STYLE, "accessibility_label": string(75)}
    record({"text": plain(75)}, {**_ACTION, **more})(value, where)


def image(value: Any, where: str) -> None:
    """https://docs.slack.dev/reference/block-kit/block-elements/image-element"""
    place = {"image_url": url, "slack_file": record({}, {"id": string(100), "url": url})}
    record({"alt_text": string(2000)}, place)(value, where)
    if ("image_url" in value) == ("slack_file" in value):
        raise refuse("must have image_url or slack_file", where)


_OWN = {**_ACTION, **_ENTRY, "options": array(PLAIN_OPTION, OPTIONS), "option_groups": array(GROUP, GROUPS)}
_CHOSEN = {"initial_options": array(PLAIN_OPTION, OPTIONS), "max_selected_items": number(1)}
_ASKING = {**_ACTION, **_ENTRY, "min_query_length": number(0)}
_CHOICES = {**_ACTION, **_FOCUSED, "options": array(OPTION, CHOICES)}

_CONVERSATION = {
    "initial_conversation": ID,
    "default_to_current_conversation": boolean,
    "response_url_enabled": boolean,
    "filter": record(
        {},
        {
            "include": array(one_of("im", "mpim", "private", "public"), 4),
            "exclude_external_shared_channels": boolean,
            "exclude_bot_users": boolean,
        },
    ),
}

BUTTON: dict[str, Check] = {"button": _button}
MENUS: dict[str, Check] = {
    "static_select": _menu(record({}, {**_OWN, "initial_option": PLAIN_OPTION}), "initial_option", OPTIONS),
    "multi_static_select": _menu(record({}, {**_OWN, **_CHOSEN}), "initial_options", OPTIONS),
    "external_select": record({}, {**_ASKING, "initial_option": PLAIN_OPTION}),
    "multi_external_select": record({}, {**_ASKING, **_CHOSEN}),
    "users_select": record({}, {**_ACTION, **_ENTRY, "initial_user": ID}),
    "channels_select": record(
        {}, {**_ACTION, **_ENTRY, "initial_channel": ID, "response_url_enabled": boolean}
    ),
    "conversations_select": record({}, {**_ACTION, **_ENTRY, **_CONVERSATION}),
    "checkboxes": _menu(
        record({}, {**_CHOICES, "initial_options": array(OPTION, CHOICES)}), "initial_options", CHOICES
    ),
    "radio_buttons": _menu(record({}, {**_CHOICES, "initial_option": OPTION}), "initial_option", CHOICES),
    "datepicker": record({}, {**_ACTION, **_ENTRY, "initial_date": _day}),
    "timepicker": record(
        {},
        {**_ACTION, **_ENTRY, "initial_time": string(5, pattern=r"[0-2]\d:[0-5]\d"), "timezone": string(100)},
    ),
    "datetimepicker": record({}, {**_ACTION, **_FOCUSED, "initial_date_time": number(10**9, 10**10 - 1)}),
}
OVERFLOW: dict[str, Check] = {"overflow": record({"options": array(OVERFLOW_OPTION, 5)}, _ACTION)}
INPUTS: dict[str, Check] = {
    **MENUS,
    "plain_text_input": _text_input,
    "number_input": _number_input,
    "email_text_input": record({}, {**_USED, **_ENTRY, **_DISPATCH, "initial_value": string(3000)}),
    "url_text_input": record({}, {**_USED, **_ENTRY, **_DISPATCH, "initial_value": string(3000)}),
}
IMAGE: dict[str, Check] = {"image": image}
