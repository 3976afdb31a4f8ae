"""What a job says in `approval`: whose yes a run of it needs besides the asker's right. Pure.

Without `from` it is anybody else who may run the job. Where a job says nothing of `when`, every run needs it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationError
from pydantic_core import InitErrorDetails

from bot.catalog.conditions import DAY, Definition, Duration, between
from bot.catalog.expressions import LONGEST, check, check_syntax, holds
from bot.catalog.parameters import Parameter
from bot.catalog.patterns import Within
from bot.catalog.who import Member
from bot.states import Cause


class Door(StrEnum):
    """Where a yes may be given."""

    GITHUB = "github"
    SLACK = "slack"
    PAGE = "page"
    API = "api"


_DOORS: Mapping[Cause, Door] = {
    Cause.COMMENT: Door.GITHUB,
    Cause.CHECK: Door.GITHUB,
    Cause.SLACK: Door.SLACK,
    Cause.CHAT: Door.API,
    Cause.PAGE: Door.PAGE,
    Cause.API: Door.API,
    Cause.ACTIONS: Door.API,
    Cause.HOOK: Door.API,
}


def door_of(cause: str) -> Door | None:
    """The door through which something was said; None for what says nothing, such as a push."""
    return next((door for known, door in _DOORS.items() if known == cause), None)


def _named(value: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(value)) < len(value):
        raise ValueError("one of them is listed twice")
    return value


Condition = Annotated[str, AfterValidator(check_syntax), Field(max_length=LONGEST)]
_EXPIRES: Within = between(60, 7 * DAY)


class Approval(Definition):
    """Whose yes, how many of them, for how long (seconds) it is waited for, where, and for which runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)

    approvers: Annotated[tuple[Member, ...], Field(max_length=100), AfterValidator(_named)] = Field(
        default=(), alias="from"
    )
    count: Annotated[int, Field(ge=1, le=10)] = 1
    expires: Annotated[Duration, _EXPIRES] = 3600.0
    on: Annotated[tuple[Door, ...], Field(min_length=1, max_length=4), AfterValidator(_named)] = tuple(Door)
    not_author: bool = False
    when: Condition | None = None

    def check(self, parameters: Mapping[str, Parameter]) -> None:
        """`ValidationError` for `when` where it does not fit the parameters of the job."""
        try:
            if self.when is not None:
                check(self.when, parameters)
        except ValueError as error:
            mistake = InitErrorDetails(
                type="value_error", loc=("when",), input=self.when, ctx={"error": error}
            )
            raise ValidationError.from_exception_data("approval", [mistake]) from None

    def is_needed(self, parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> bool:
        """Whether a run with these values needs it."""
        return self.when is None or holds(self.when, parameters, values)
