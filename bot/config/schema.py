"""`app.yaml` as JSON Schema (https://json-schema.org/draft/2020-12), for editors: `errand schema` prints it.

Made of the very models that read the file, with the sentences of `bot.config.meanings`. It says no more than
the checks do: what they take it takes as well, with `${NAME}` wherever that is replaced.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from bot.catalog.patterns import DURATION, SIZE
from bot.config.config import Config
from bot.config.document import Path
from bot.config.loading import treatment
from bot.config.meanings import MEANINGS
from bot.text.units import duration_text
from executor.spec import Secret

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAME = "NAME"
"""Stands for any name in the path of a setting."""

_REFERENCE = r"\$[{$]"
"""Where this is in a text, what counts is known only when it is replaced."""
_NUMBER = r"^\s*[+-]?[0-9_]*\.?[0-9_]*(?:[eE][+-]?[0-9]+)?\s*$"
_TRUTH = (
    "^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo]|[Oo][Nn]|[Oo][Ff][Ff]|[TtYyFfNn01])$"
)
"""Texts that are read as a number, or as true or false: what the environment gives is always text."""
_MEBIBYTE = 2**20


class _Generator(GenerateJsonSchema):
    """Tells also the default of what may hold a password: the one in the code holds none."""

    def encode_default(self, dft: Any) -> Any:
        """The default as JSON."""
        return super().encode_default(dft.reveal() if isinstance(dft, Secret) else dft)


def schema() -> Schema:
    """The schema of the whole file, without references to other places."""
    made = Config.model_json_schema(schema_generator=_Generator)
    whole = _inlined(made, made.pop("$defs"))
    properties: Schema = whole["properties"]
    job = properties["jobs"]["additionalProperties"]
    properties["defaults"] = {**job, "required": []}
    for section in ("images", "jobs"):
        named = properties[section]["additionalProperties"]
        name = named["properties"].pop("name")  # it stands as the key above
        named["required"] = [key for key in named.get("required", ()) if key != "name"]
        properties[section]["propertyNames"] = {"pattern": name["pattern"]}
    described: Schema = _described(whole, ())
    for section in ("images", "jobs", "defaults"):  # all of whose lines may be commented out
        described["properties"][section]["type"] = ["object", "null"]
    described["properties"]["jobs"]["additionalProperties"]["required"] = []
    return {
        "$schema": DIALECT,
        "title": "app.yaml of Errand",
        "description": "What an installation of Errand runs.",
        **{key: value for key, value in described.items() if key not in ("title", "description")},
        **_COMMAND,
    }


_COMMAND: Schema = {
    "if": {
        "required": ["defaults"],
        "properties": {"defaults": {"type": "object", "required": ["command"]}},
    },
    "else": {"properties": {"jobs": {"additionalProperties": {"required": ["command"]}}}},
}
"""Every job has a command, its own or that of `defaults`."""


def _inlined(value: Any, definitions: Schema) -> Any:
    """`value` with what it refers to in its place; no model of the file holds itself."""
    if isinstance(value, list):
        return [_inlined(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    rest = {key: _inlined(item, definitions) for key, item in value.items() if key != "$ref"}
    if "$ref" in value:
        return {**_inlined(definitions[value["$ref"].rpartition("/")[2]], definitions), **rest}
    return rest


def _described(node: Schema, path: Path) -> Schema:
    """`node` as it is at `path`, with what it means and with the ways to write its values."""
    made = {key: value for key, value in node.items() if key not in ("title", "description", "default")}
    meaning = MEANINGS.get(setting(path))
    if meaning:
        made["description"] = meaning
    if "default" in node and node["default"] not in (None, "", [], {}):
        made["default"] = _default(node)
    if made.get("x-whole"):  # what is in there has a description of its own, by other rules
        del made["x-whole"]
        return made
    for several in ("anyOf", "oneOf"):
        if several in made:
            made[several] = [_form(item, path) for item in made[several]]
    if "items" in made:
        made["items"] = _form(made["items"], (*path, 0))
    if "properties" in made:
        inside = made["properties"].items()
        made["properties"] = {key: _described(item, (*path, key)) for key, item in inside}
    _describe_names(made, path)
    return _writable(made, path)


def _form(node: Schema, path: Path) -> Schema:
    """One of several forms of a value, or an entry of a list: described by what is around it."""
    return {key: value for key, value in _described(node, path).items() if key != "description"}


def _describe_names(made: Schema, path: Path) -> None:
    """Any name with one kind of value: told by `additionalProperties`, which editors complete by."""
    if "patternProperties" in made:
        ((pattern, values),) = made.pop("patternProperties").items()
        made["propertyNames"], made["additionalProperties"] = {"pattern": pattern}, values
    names = made.get("propertyNames")
    if names is not None:
        made["propertyNames"] = {key: value for key, value in names.items() if key != "title"}
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _described(made["additionalProperties"], (*path, NAME))


def _writable(node: Schema, path: Path) -> Schema:
    """`node`, which may be one of a scalar, with texts that stand for it: `${NAME}`, or numbers as text."""
    kinds = node.get("type")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    how = treatment(path) if path else "now"
    replaced = how in ("now", "late")
    if "enum" in node or "const" in node:
        plain = {key: value for key, value in node.items() if key not in ("description", "default")}
        rest = {key: value for key, value in node.items() if key in ("description", "default")}
        return {"anyOf": [plain, {"type": "string", "pattern": _REFERENCE}], **rest} if replaced else node
    if kinds is None or not {"string", "integer", "number", "boolean"} & {*kinds}:
        return node
    forms = [node["pattern"]] if "pattern" in node else []
    if "string" not in kinds:
        forms.append(_TRUTH if "boolean" in kinds else _NUMBER)
    if how == "refused":
        node = {**node, "not": {"type": "string", "pattern": r"\$\{"}}
    if forms and replaced:
        forms.append(_REFERENCE)
    pattern = {"pattern": "|".join(forms)} if forms else {}
    if "string" not in kinds:
        kinds = [*kinds, "string"]
    return {**node, "type": kinds if len(kinds) > 1 else kinds[0], **pattern}


def _default(node: Schema) -> Any:
    """The default as people write it."""
    default, pattern = node["default"], node.get("pattern")
    if pattern == DURATION:
        return duration_text(default)
    if pattern == SIZE and default % _MEBIBYTE == 0:
        return f"{default // _MEBIBYTE}Mi"
    return default


def setting(path: Path) -> str:
    """The setting at `path` as the documentation writes it: list items apart, `defaults` as of any job."""
    parts = [str(part) for part in path if not isinstance(part, int)]
    if parts[:1] == ["defaults"] and len(parts) > 1:
        parts = ["jobs", NAME, *parts[1:]]
    return ".".join(parts)
