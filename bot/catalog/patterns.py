"""What single values look like to JSON Schema, where a function checks them: patterns and bounds. Pure.

Patterns are those of ECMA 262, as JSON Schema has them, and say as much as a pattern can; the function that
checks the value has the last word.
"""

from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

DURATION = "^(?:[0-9]{1,12}|(?=[0-9])(?:[0-9]{1,9}d)?(?:[0-9]{1,9}h)?(?:[0-9]{1,9}m)?(?:[0-9]{1,9}s)?)$"
SIZE = "^[0-9]{1,15}(?:k|Ki|M|Mi|G|Gi)?B?$"
SOME = r"\S"
"""A text that is not empty."""


def with_keys(*names: str) -> dict[str, Any]:
    """The JSON Schema of a section that has these keys, each with a value."""
    return {"required": [*names], "properties": {key: {"not": {"type": "null"}} for key in names}}


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern for JSON Schema of a text that a function checks."""

    pattern: str

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of the type with the pattern."""
        return {**handler(schema), "pattern": self.pattern}


class EitherForm:
    """What may be written in more than one form, each described by what is around it, for JSON Schema."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The schema of the type, of which any form will do."""
        made = handler(schema)
        return {**{key: value for key, value in made.items() if key != "oneOf"}, "anyOf": made["oneOf"]}


@dataclass(frozen=True, slots=True)
class Within:
    """A check that a number lies within two bounds; `expectation` is the sentence where it does not."""

    least: float
    most: float
    expectation: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The check, after that of the value's own type."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """The bounds of a value that is written as a number."""
        return {**handler(schema), "minimum": self.least, "maximum": self.most}

    def _check(self, value: float) -> float:
        if not self.least <= value <= self.most:
            raise ValueError(self.expectation)
        return value
