"""A job that comes on its own, as JSON through the API: the checks of `app.yaml`, within today's file.

It gets the defaults, images and sizes of the file. What is wrong is told by JSON pointers (RFC 6901).
"""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.catalog.catalog import Job
from bot.catalog.conditions import SecretReference
from bot.catalog.images import direct_image
from bot.config.config import Config
from bot.config.document import DEPTH, SIZE_LIMIT, Document, Mistake, Path, TextPosition, Value, path_text
from bot.config.interpolation import Reference, pieces_of
from bot.config.loading import checked, treatment
from bot.errors import Refused

_DEFINITIONS = ("jobs", "defaults", "images", "sizes", "people")
"""Sections whose variables are for jobs; all others are the installation's own."""


class Wrong(Exception):
    """A definition that is none: for every mistake a JSON pointer into it and a sentence."""

    def __init__(self, mistakes: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{pointer}: {what}" for pointer, what in mistakes))
        self.mistakes = mistakes


def definition(job: Job) -> dict[str, Any]:
    """A job as it may be written: without its name, and without what is the default anyway."""
    document = job.model_dump(mode="json", exclude_defaults=True)
    document.pop("name", None)
    if "size" in document:
        document.pop("resources", None)  # which the size gave
    return document


def job_of(content: bytes, name: str, config: Config, beside: Mapping[str, Job] | None = None) -> Job:
    """The job `name` as `content` (JSON) defines it; raises `Wrong` with every mistake.

    `beside` are all jobs of today, which it may name.
    """
    at: Path = ("jobs", name)
    document = Document()
    try:
        value = _Reader(document).value(_parsed(content), at)
    except Refused as error:
        raise Wrong([("", str(error))]) from None
    if not isinstance(value, dict):
        raise Wrong([("", "expected an object with the keys of a job")])
    document.values[at] = document.keys[at] = TextPosition()
    if not document.mistakes:
        own = own_names(config.written) | own_names(config.newest)
        _refuse_references(document, value, at, own)
        _refuse_secrets(document, ((*at, "env"), value.get("env")), own, config)
    document.data = {**config.written, "jobs": {name: value}}
    _allow_direct_image(document, value.get("image"), at, config)
    made = None
    if not document.mistakes:
        made = checked(document, config.environ, beside)
    if made is None or document.mistakes:
        found = [(_pointer(mistake.keys), _sentence(mistake, at)) for mistake in document.mistakes]
        raise Wrong(list(dict.fromkeys(found))[:100])
    return made.jobs[name]


def _allow_direct_image(document: Document, image: Value, at: Path, config: Config) -> None:
    """Define the image of a registry that the job names, where the installation's policy lists that."""
    defined = config.written.get("images")
    images = defined if isinstance(defined, dict) else {}
    if not isinstance(image, str) or image in images or not ("/" in image or ":" in image):
        return
    try:
        direct_image(image, config.api.registries)
    except ValueError as error:
        document.wrong((*at, "image"), str(error))
        return
    for path in (("images", image), ("images", image, "reference")):
        document.values[path] = document.keys[path] = TextPosition()
    document.data = {**_mapping(document.data), "images": {**images, image: {"reference": image}}}


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


def _pointer(path: Path) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path[2:])


def _sentence(mistake: Mistake, at: Path) -> str:
    """The sentence, with the place where that is not within the definition."""
    return mistake.what if mistake.keys[:2] == at else f"{path_text(mistake.keys)}: {mistake.what}"


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, with names that may come twice."""


def _parsed(content: bytes) -> Any:
    if len(content) > SIZE_LIMIT:
        raise Refused(f"a definition is at most {SIZE_LIMIT // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Refused("expected UTF-8 text") from None
    try:
        return json.loads(text, object_pairs_hook=_Pairs)
    except json.JSONDecodeError as error:
        raise Refused(f"not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    except (ValueError, RecursionError):
        raise Refused("not JSON: nested too deeply, or a number is too long") from None


class _Reader:
    """Turns what JSON says into plain values, and notes what no definition may hold."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def value(self, value: Any, path: Path) -> Value:
        """The plain value."""
        if len(path) > DEPTH:
            raise Refused(f"nested more than {DEPTH} levels deep")
        self._document.values[path] = TextPosition()
        if isinstance(value, _Pairs):
            return self._object(value, path)
        if isinstance(value, list):
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            self._text(value, path)
        elif isinstance(value, int | float) and not abs(value) < 2**63:  # nor is NaN
            self._document.wrong(path, "expected a number that is finite and not too large")
        plain: Value = value
        return plain

    def _object(self, pairs: _Pairs, path: Path) -> dict[str, Value]:
        made: dict[str, Value] = {}
        for key, item in pairs:
            at = (*path, key)
            self._document.keys[at] = TextPosition()
            self._text(key, at)
            if key in made:
                self._document.wrong(at, "given twice", key=True)
            made[key] = self.value(item, at)
        return made

    def _text(self, text: str, path: Path) -> None:
        if "\0" in text:
            self._document.wrong(path, "expected a text without NUL characters")
        elif any("\ud800" <= character <= "\udfff" for character in text):
            self._document.wrong(path, "expected a text of whole characters: half of a pair stands here")


def _refuse_secrets(document: Document, env: tuple[Path, Value], own: frozenset[str], config: Config) -> None:
    """Of what `env` refers to, that which is the installation's own, wherever this engine keeps secrets."""
    in_cluster = config.engine.kind == "kubernetes"
    registry = config.engine.kubernetes.builder.registry_secret
    path, variables = env
    for name, item in variables.items() if isinstance(variables, dict) else ():
        found = _secret(item) if isinstance(item, dict) else None
        if found is not None and (found.secret == registry if in_cluster else found.variable in own):
            document.wrong((*path, name), "that is the installation's own secret, which no job is given")


def _refuse_references(document: Document, value: Value, path: Path, own: frozenset[str]) -> None:
    """What comes over the API is stored, and its writer may not be who wrote the environment."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_references(document, item, (*path, key), own)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_references(document, item, (*path, index), own)
    elif isinstance(value, str):
        names = _names(value)
        kind = treatment(path)
        if names and kind == "now":
            document.wrong(path, "${…} is replaced in env only, where the value is not stored")
        for name in sorted(names & own) if kind == "late" else ():
            document.wrong(path, f"{name} is the installation's own secret, which no job is given")


def _secret(value: Mapping[str, Value]) -> SecretReference | None:
    """The reference to a secret that `value` is; None where it is none."""
    try:
        return SecretReference.model_validate(dict(value))
    except ValidationError:
        return None  # told by the checks


def _names(text: str) -> frozenset[str]:
    try:
        return frozenset(piece.name for piece in pieces_of(text) if isinstance(piece, Reference))
    except ValueError:
        return frozenset()  # told by the checks


def own_names(written: Mapping[str, Value]) -> frozenset[str]:
    """The variables that the file takes outside of jobs and images, for the installation itself."""
    names: frozenset[str] = frozenset()
    left: list[Value] = [value for key, value in written.items() if key not in _DEFINITIONS]
    while left:
        value = left.pop()
        if isinstance(value, str):
            names |= _names(value)
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
    return names
