"""`${NAME}` and `${NAME:-default}` in a text of `app.yaml`; `$$` is a plain `$`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class Missing(ValueError):
    """A variable that is not set and has no default."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set (${{{name}:-…}} gives a default)")
        self.name = name


@dataclass(frozen=True, slots=True)
class Reference:
    """`${name}`, or `${name:-default}`, whose default also stands in for an empty variable."""

    name: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its references replaced. `taken` came from the environment: values by variable."""

    text: str
    taken: Mapping[str, str] = field(default_factory=dict)


def expand(text: str, environ: Mapping[str, str]) -> Expanded:
    """Replace every reference in `text`; ValueError (`Missing` for an unset variable) if one is wrong."""
    pieces: list[str] = []
    taken: dict[str, str] = {}
    for piece in pieces_of(text):
        if isinstance(piece, str):
            pieces.append(piece)
            continue
        value = environ.get(piece.name)
        if piece.default is not None and not value:
            pieces.append(piece.default)
        elif value is None:
            raise Missing(piece.name)
        else:
            pieces.append(value)
            taken[piece.name] = value
    return Expanded("".join(pieces), taken)


def pieces_of(text: str) -> Iterator[str | Reference]:
    """The literal pieces and the references of `text`, in order; ValueError if one is malformed."""
    position = 0
    while (found := text.find("$", position)) >= 0:
        yield text[position:found]
        following = text[found + 1 : found + 2]
        if following == "{":
            end = _closing(text, found + 2)
            yield _reference(text[found + 2 : end])
            position = end + 1
        else:
            yield "$"
            position = found + (2 if following == "$" else 1)
    yield text[position:]


def refers(text: str) -> bool:
    """Whether there is a reference in `text`, also one with a default; one that is malformed counts."""
    try:
        return any(isinstance(piece, Reference) for piece in pieces_of(text))
    except ValueError:
        return True


def _closing(text: str, start: int) -> int:
    """Where the brace before `start` is closed; braces within, as in `{repository}`, are skipped."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise ValueError("expected a } that ends ${ ($$ is a plain $)")


def _reference(inner: str) -> Reference:
    name, separator, default = inner.partition(":-")
    if not _NAME.fullmatch(name) or "${" in default:
        raise ValueError("expected ${NAME} or ${NAME:-default} ($$ is a plain $)")
    return Reference(name, default if separator else None)
