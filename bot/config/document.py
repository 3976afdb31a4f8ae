"""A YAML file as plain values, with the line and column of each; every mistake is a sentence.

YAML 1.2 through ruamel.yaml. Only plain data: tags are refused, and so are aliases beyond a few,
whose expansion could be far larger than the file.
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLWarning
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bot.config.syntax import fault

SIZE_LIMIT = 1024 * 1024
"""Bytes of the file."""

_ALIASES = 100
"""Aliases (`*name`) in one file, counting those inside of what is aliased."""

DEPTH = 20
"""Levels of mappings and lists within each other."""

_PIECE = 4
"""Characters of a value that give something of it away; what is shorter is not masked in logs either."""

Path = tuple[str | int, ...]
Value = str | int | float | bool | None | list["Value"] | dict[str, "Value"]

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class TextPosition:
    """A line and a column, both counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """Something wrong at a place; `path` are the keys that lead there, `what` is the sentence."""

    place: TextPosition
    path: str
    what: str
    keys: Path = field(default=(), compare=False)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.place.line}:{self.place.column}: {where}{self.what}"


@dataclass
class Document:
    """The content of a file. `keys` and `values` say where the key and the value of a path stand.

    A value at an `unusable` path is known to be wrong; what else is wrong with it is not told.
    """

    data: Value = None
    keys: dict[Path, TextPosition] = field(default_factory=dict)
    values: dict[Path, TextPosition] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    unusable: set[Path] = field(default_factory=set)
    taken: dict[Path, Mapping[str, str]] = field(default_factory=dict)
    """What the environment gave to the value at a path, by the variable's name: it may be a secret."""

    def place(self, path: Path, *, key: bool = False) -> TextPosition:
        """Where the value (or its key) of `path` stands, or of the nearest thing around it."""
        exact = (self.keys if key else self.values).get(path)
        while exact is None and path:
            exact = self.keys.get(path) or self.values.get(path)
            path = path[:-1]
        return exact or TextPosition()

    def written(self, path: Path) -> Path:
        """`path` of a job, or the one in `defaults` where the job has the value from there."""
        there: Path = ("defaults", *path[2:])
        inherited = path[:1] == ("jobs",) and path not in self.values and there in self.values
        return there if inherited else path

    def wrong(self, path: Path, what: str, *, key: bool = False) -> None:
        """Note a mistake at `path`; a sentence with something that the environment gave is another one."""
        name = self._variable_in(what, path)
        if name is not None:
            what = f"what ${{{name}}} gives is not accepted here, and not shown: it may be a secret"
        self.mistakes.append(Mistake(self.place(path, key=key), path_text(path), what, path))

    def _variable_in(self, what: str, path: Path) -> str | None:
        """The variable whose value `what` has in it, whole, or a piece of it if it stands at `path`.

        What begins with `expected` says what belongs there and quotes the file alone: alike is chance.
        """
        for at, variables in self.taken.items():
            near = at[: len(path)] == path[: len(at)] and not what.startswith("expected")
            for name, value in variables.items():
                length = _PIECE if near else max(len(value), _PIECE)
                pieces = (value[start : start + length] for start in range(len(value) - length + 1))
                if any(piece in what for piece in pieces):
                    return name
        return None


def path_text(path: Path) -> str:
    """`jobs.migrate.env.X`; list items by their number from 1: `branches[2]`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def read(content: bytes) -> Document:
    """The values and places of a YAML file; what cannot be read at all leaves only mistakes."""
    document, text = Document(), ""
    try:
        text = _text(content)
        node = _composed(text)
        if node is not None:
            document.data = _Reader(document).value(node, ())
    except _Unreadable as error:
        document.mistakes.append(Mistake(error.place, "", str(error)))
    except MarkedYAMLError as error:
        found = fault(text, error)
        document.mistakes.append(
            Mistake(TextPosition(found.line, found.column), "", f"not YAML: {found.what}")
        )
    except (YAMLError, ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        document.mistakes.append(Mistake(TextPosition(), "", f"not YAML: {what}"))
    return document


def _composed(text: str) -> Node | None:
    """The root of what the text says, None for nothing; an anchor used twice is legal and no news."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", YAMLWarning)
        node: Node | None = YAML(typ="safe", pure=True).compose(text)
    return node


class _Unreadable(Exception):
    def __init__(self, what: str, place: TextPosition | None = None) -> None:
        super().__init__(what)
        self.place = place or TextPosition()


def _text(content: bytes) -> str:
    """The file as text, free of what YAML does not allow."""
    if len(content) > SIZE_LIMIT:
        raise _Unreadable(f"the file is larger than {SIZE_LIMIT // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = _place_of(content[: error.start].decode("utf-8", "replace"))
        raise _Unreadable("the file is not UTF-8 text", place) from None
    for position, character in enumerate(text):
        if (character < " " and character not in "\t\r\n") or character == "\x7f":
            what = f"the control character U+{ord(character):04X} is not allowed"
            raise _Unreadable(what, _place_of(text[:position]))
    return text


def _place_of(before: str) -> TextPosition:
    return TextPosition(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


@dataclass
class _Reader:
    """Turns nodes into values and keeps their places."""

    document: Document
    seen: set[int] = field(default_factory=set)
    aliases: int = 0

    def value(self, node: Node, path: Path) -> Value:
        """The plain value of `node`."""
        place = TextPosition(node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self.seen:
            self.aliases += 1
        self.seen.add(id(node))
        if self.aliases > _ALIASES:
            raise _Unreadable(f"more than {_ALIASES} aliases (*name); write the values out", place)
        if len(path) > DEPTH:
            raise _Unreadable(f"nested more than {DEPTH} levels deep", place)
        self.document.values[path] = place
        if isinstance(node, MappingNode):
            self._expect_tag(node, "map", path)
            return dict(self._pairs(node, path))
        if isinstance(node, SequenceNode):
            self._expect_tag(node, "seq", path)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode):
            return self._scalar(node, path)
        raise _Unreadable("expected plain values", place)

    def _expect_tag(self, node: Node, tag: str, path: Path) -> None:
        if str(node.tag) != _TAG + tag:
            self.document.wrong(path, f"the tag {node.tag} is not allowed; only plain values are")

    def _pairs(self, node: MappingNode, path: Path) -> Iterator[tuple[str, Value]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            place = TextPosition(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self.document.mistakes.append(Mistake(place, path_text(path), "expected a name as key"))
                continue
            key = str(key_node.value)
            if key in first:
                what = f"given twice; first in line {first[key]}"
                self.document.mistakes.append(Mistake(place, path_text((*path, key)), what))
                continue
            first[key] = place.line
            self.document.keys[*path, key] = place
            yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: ScalarNode, path: Path) -> Value:
        """The value of a scalar by its YAML 1.2 core type; dates stay text."""
        text, tag = str(node.value), str(node.tag).removeprefix(_TAG)
        try:
            match tag:
                case "null":
                    return None
                case "bool":
                    return text.lower() in ("true", "yes", "on")
                case "int":
                    return self._whole(text)
                case "float":
                    number = float(text.replace("_", ""))
                    if not isfinite(number):
                        raise ValueError
                    return number
        except ValueError:
            self.document.wrong(path, "expected a number that is finite and not too large")
            return 0
        if tag not in ("str", "timestamp"):
            self.document.wrong(path, f"the tag {node.tag} is not allowed; only plain values are")
        return text

    def _whole(self, text: str) -> int:
        plain = text.replace("_", "")
        number = int(plain, 0) if plain.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else int(plain)
        if abs(number) >= 2**63:
            raise ValueError
        return number
