"""Where the runs of a job are told of, what of them its channel is told, and who is called there. Pure."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from bot.catalog.conditions import Definition
from bot.catalog.patterns import Form

CHANNEL = "^(?:#[^\\s#<>|&`@,]{1,80}|[CGD][A-Z0-9]{2,30})$"
"""These are read by JSON Schema as well, which has them from here."""
MEMBER = "[UW][A-Z0-9]{2,30}"
GROUP = "S[A-Z0-9]{2,30}"
_HANDLE = "@[a-z0-9][a-z0-9._-]{0,79}"
_LOGIN = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?"
_WHO = f"^(?:slack:(?:{MEMBER}|{GROUP}|{_HANDLE})|github:{_LOGIN})$"
_ROW = re.compile(r"failed_([0-9]{1,4})", re.ASCII)
_MOST_IN_A_ROW = 1000


class Occasion(StrEnum):
    """What may be worth a message; besides, `failed_N` is the N-th failure in a row."""

    FAILED = "failed"
    RECOVERED = "recovered"
    SUCCEEDED = "succeeded"
    STARTED = "started"
    SLOW = "slow"
    MISSED = "missed"
    OVERLAPPING = "overlapping"


_OCCASION = f"^(?:{'|'.join(Occasion)}|failed_(?:[2-9]|[1-9][0-9]{{1,2}}|1000))$"


def in_a_row(occasion: str) -> int | None:
    """The N of `failed_N`; None for everything else."""
    found = _ROW.fullmatch(occasion)
    return None if found is None else int(found[1])


def _channel(value: str) -> str:
    if not re.fullmatch(CHANNEL, value):
        raise ValueError('expected a Slack channel such as "#ops" (in quotes) or C012AB3CD')
    return value


def _occasion(value: str) -> str:
    if not re.fullmatch(_OCCASION, value):
        known = ", ".join(Occasion)
        raise ValueError(f"expected one of {known}, or failed_N with an N from 2 to {_MOST_IN_A_ROW}")
    return value


def _who(value: str) -> str:
    if not re.fullmatch(_WHO, value):
        raise ValueError("expected slack:U012AB3CD, slack:@group or github:login")
    return value


class Notify(Definition):
    """Where a job's runs are told of besides the place they were asked from.

    `when`: on which occasions its channel of Slack is told, None for every run. `who` is called there when
    one fails.
    """

    github: bool = True
    slack: Annotated[str, AfterValidator(_channel), Form(CHANNEL)] | None = None
    when: (
        Annotated[
            tuple[Annotated[str, AfterValidator(_occasion), Form(_OCCASION)], ...], Field(max_length=20)
        ]
        | None
    ) = None
    who: Annotated[tuple[Annotated[str, AfterValidator(_who), Form(_WHO)], ...], Field(max_length=10)] = ()

    @property
    def tells_failures(self) -> bool:
        """Whether the channel hears of failures at all, be it only of several in a row."""
        when = self.when
        return when is None or any(each == Occasion.FAILED or in_a_row(each) is not None for each in when)


def notify_of(definition: dict[str, Any]) -> Notify:
    """What the stored definition of a job says; that of another version as far as this one knows it."""
    section = definition.get("notify")
    known = section if isinstance(section, dict) else {}
    try:
        return Notify.model_validate({key: known[key] for key in Notify.model_fields if key in known})
    except ValueError:
        return Notify()
