"""Where something is wrong in what was sent, in the words of who typed it: people see no JSON pointers."""

from collections.abc import Sequence
from urllib.parse import unquote

Place = tuple[str, ...]
"""The names that lead to a value of a body, numbers of a list (from 0) among them."""

_TYPED = {
    "image_tag": "--image",
    "ref": "--ref",
    "scopes": "--scope",
    "expires": "--expires",
    "duration": "for",
}
"""What a field of a body was typed as."""


def place(pointer: str) -> Place:
    """The place that a JSON pointer (RFC 6901, as the fragment of a URI) leads to."""
    names = unquote(pointer.removeprefix("#")).split("/")[1:]
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in names)


def words(place: Sequence[str]) -> str:
    """`COUNT` of the parameters, `--image`, word 2 after `--`, else a path such as `steps[2].name`."""
    match [*place]:
        case ["parameters", name]:
            return name
        case ["arguments" | "command", number] if number.isdecimal():
            return f"word {int(number) + 1} after `--`"
        case [name] if name in _TYPED:
            return _TYPED[name]
    text = "".join(f"[{int(name) + 1}]" if name.isdecimal() else f".{name}" for name in place)
    return text.removeprefix(".")
