"""What checks of blocks are made of. Each takes a value and its place, as a JSON pointer."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

Check = Callable[[Any, str], None]

TEXT_CHARACTERS = 3000
URL_CHARACTERS = 3000


class InvalidBlocks(Exception):
    """Why Slack would say `invalid_blocks`, with the place in the blocks."""


def refuse(why: str, where: str) -> InvalidBlocks:
    """The error as Slack words it."""
    return InvalidBlocks(f"{why} [json-pointer:{where}]")


def string(most: int, *, least: int = 1, pattern: str | None = None) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, str):
            raise refuse("must be a string", where)
        if len(value) < least:
            raise refuse(f"must be more than {least - 1} characters", where)
        if len(value) > most:
            raise refuse(f"must be less than {most + 1} characters", where)
        if pattern is not None and not re.fullmatch(pattern, value):
            raise refuse("must match the pattern", where)

    return check


def number(least: float | None = None, most: float | None = None, *, whole: bool = True) -> Check:
    """A number within its bounds."""

    def check(value: Any, where: str) -> None:
        kinds = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value != value:
            raise refuse("must be an integer" if whole else "must be a number", where)
        if (least is not None and value < least) or (most is not None and value > most):
            raise refuse(f"must be from {least} to {most}", where)

    return check


def boolean(value: Any, where: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise refuse("must be a boolean", where)


def one_of(*values: Any) -> Check:
    """One of these values."""

    def check(value: Any, where: str) -> None:
        if value not in values:
            raise refuse(f"must be a valid enum value: {', '.join(map(str, values))}", where)

    return check


def url(value: Any, where: str) -> None:
    """An address that a browser opens."""
    string(URL_CHARACTERS)(value, where)
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or re.search(r"\s", value):
        raise refuse("invalid url", where)


def array(each: Check, most: int, *, least: int = 1) -> Check:
    """A list of `least` to `most` items."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise refuse("must be an array", where)
        if len(value) < least:
            raise refuse(f"no fewer than {least} items allowed", where)
        if len(value) > most:
            raise refuse(f"no more than {most} items allowed", where)
        for index, item in enumerate(value):
            each(item, f"{where}/{index}")

    return check


def record(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    *,
    ignored: tuple[str, ...] = (),
) -> Check:
    """An object with these fields and no others; `ignored` are checked by who called."""
    known = {**required, **(optional or {})}

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise refuse("must be an object", where)
        for name in required:
            if name not in value:
                raise refuse(f"missing required field: {name}", where)
        for name, inner in value.items():
            if name in known:
                known[name](inner, f"{where}/{name}")
            elif name not in ignored:
                raise refuse(f"no additional properties allowed: {name}", where)

    return check


def typed(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` says which of these it is."""

    def check(value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise refuse("must be an object", where)
        kind = value.get("type")
        inner = kinds.get(kind) if isinstance(kind, str) else None
        if inner is None:
            raise refuse(f"unsupported type: {kind}", f"{where}/type")
        inner({name: each for name, each in value.items() if name != "type"}, where)

    return check


def every(*checks: Check) -> Check:
    """All of these."""

    def check(value: Any, where: str) -> None:
        for each in checks:
            each(value, where)

    return check


def plain(most: int) -> Check:
    """A `plain_text` object. https://docs.slack.dev/reference/block-kit/composition-objects/text-object"""
    return typed({"plain_text": record({"text": string(most)}, {"emoji": boolean})})


def text(most: int = TEXT_CHARACTERS) -> Check:
    """A text object of either kind."""
    return typed(
        {
            "plain_text": record({"text": string(most)}, {"emoji": boolean}),
            "mrkdwn": record({"text": string(most)}, {"verbatim": boolean}),
        }
    )
