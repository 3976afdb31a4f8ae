"""What the models of answers are made of: where fields come from, and how times and addresses are written.

Within a model times are seconds since the epoch and addresses begin with `/`: what comes before is the
context of `model_dump`.
"""

from functools import cache
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SerializationInfo,
    WithJsonSchema,
)
from typing_extensions import TypeAliasType

from bot.states import State as RunState
from bot.text import vocabulary
from webhooks.view import rfc3339


class Shape(BaseModel):
    """Takes its fields from the attributes of what it shows."""

    model_config = ConfigDict(
        from_attributes=True, frozen=True, json_schema_serialization_defaults_required=True
    )

    @classmethod
    def of(cls, source: object = None, /, **more: object) -> Self:
        """What is shown of `source`; `more` holds what is no attribute of it, or another there."""
        return cls.model_validate(
            {name: more[name] if name in more else getattr(source, name) for name in _sources(cls)}
        )


@cache
def _sources(model: type[BaseModel]) -> list[str]:
    """What the fields of a model are called where they come from, but for those that follow from others."""
    fields = model.model_fields.items()
    return [str(field.validation_alias or name) for name, field in fields if field.is_required()]


def _absolute(path: str, info: SerializationInfo) -> str:
    return f"{info.context or ''}{path}"


def page_url(kind: str, field: str = "number") -> Any:
    """Where the page of this kind is, by a field that comes before."""
    return Field(default_factory=lambda data: f"/{kind}/{data[field]}")


def log_url(kind: str) -> Any:
    """Where the log of this kind is."""
    return Field(default_factory=lambda data: f"/api/{kind}/{data['number']}/logs")


def one_of(*words: str) -> Any:
    """A field that is one of these words."""
    return Field(json_schema_extra={"enum": [*words]})


# Those that stand in several shapes have schemas of their own, so that programs get one type for each.
State = TypeAliasType("State", Annotated[str, one_of(*RunState)])
Result = TypeAliasType(
    "Result", Annotated[str, one_of("succeeded", "failed", "cancelled", "timed_out", "error")]
)
Moment = Annotated[
    float,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Url = Annotated[
    str, PlainSerializer(_absolute, return_type=str), WithJsonSchema({"type": "string", "format": "uri"})
]
Name = Annotated[str, AfterValidator(vocabulary.name_of)]
Text = Annotated[str, BeforeValidator(lambda text: text or "")]  # none where a chat is answered nothing
Seconds = Annotated[float, AfterValidator(lambda value: round(value, 3))]
