"""Objects as YAML that YAML 1.1 and 1.2 read alike: what one of them takes for another thing is quoted."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from executor.kubernetes.installing.access import Object

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML 1.1 takes for something else than a text, whatever its case."""
_BLOCK = re.compile(r"(?:[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff])*)?")
"""A line of a text that can stand as it is; the first one says how far all are indented."""
_ODD = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON leaves as it is and YAML does not allow, or takes for the end of a line."""
_LINE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")


def written(documents: Iterable[tuple[str, Object]]) -> str:
    """Objects as documents of one file, each after its sentence."""
    return "".join(f"---\n# {sentence}\n" + "".join(_lines(made, 0)) for sentence, made in documents)


def yaml(made: Object) -> str:
    """One mapping as YAML, without the line that begins a document."""
    return "".join(_lines(made, 0))


def _lines(value: Object, depth: int) -> Iterator[str]:
    """The lines of a mapping that is not empty."""
    for key, item in value.items():
        yield f"{'  ' * depth}{_text(str(key))}:{_value(item, depth)}"


def _value(value: Any, depth: int) -> str:
    """What follows the colon, with the end of its line and all that belongs to it."""
    if isinstance(value, dict) and value:
        return "\n" + "".join(_lines(value, depth + 1))
    if isinstance(value, list) and value and any(isinstance(item, (dict, list)) for item in value):
        return "\n" + "".join(_item(item, depth) for item in value)
    if isinstance(value, str) and "\n" in value and _is_block(value):
        indented = "".join(f"{'  ' * (depth + 1)}{line}".rstrip() + "\n" for line in value.split("\n")[:-1])
        return f" |\n{indented}"
    return f" {_scalar(value)}\n"


def _item(value: Any, depth: int) -> str:
    before = f"{'  ' * depth}- "
    if isinstance(value, dict) and value:
        first, *others = _lines(value, depth + 1)
        return before + first[len(before) :] + "".join(others)
    return f"{before}{_scalar(value)}\n"


def _is_block(text: str) -> bool:
    """Whether `text` is the same as a block; such a block ends with exactly one line end."""
    if not text.endswith("\n") or text.endswith("\n\n"):
        return False
    first, *others = text.split("\n")[:-1]
    plain = bool(first) and bool(_BLOCK.fullmatch(first)) and all(_LINE.fullmatch(line) for line in others)
    return plain and all(line == line.rstrip() for line in (first, *others))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_scalar, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return _ODD.sub(lambda odd: f"\\U{ord(odd[0]):08x}", json.dumps(text, ensure_ascii=False))
