"""Who may run a job, as it is written: `allow`, `deny`, `repositories`, and the sets of `people`."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.access import principals
from bot.access.principals import Kind
from bot.catalog.patterns import Form

_REPOSITORY = "^[A-Za-z0-9_.*-]{1,100}/[A-Za-z0-9_.*-]{1,100}$"


def _member(value: object) -> object:
    """An entry as it was written."""
    if not isinstance(value, str):
        raise ValueError(principals.EXPECTED_MEMBER)
    principals.member(value)
    return value


def _denied(value: object) -> object:
    _member(value)
    if isinstance(value, str) and principals.member(value).kind is Kind.LEVEL:
        raise ValueError("a permission shuts nobody out; name the one that is needed in allow")
    return value


def _set_name(value: str) -> str:
    if not re.fullmatch(principals.SET_NAME, value):
        raise ValueError("expected the name of a set, of small letters, digits and - (at most 63)")
    return value


def _home(value: str) -> str:
    if not re.fullmatch(_REPOSITORY, value):
        raise ValueError("expected a repository such as acme/shop, or acme/* for all of an owner")
    return value


Member = Annotated[str, BeforeValidator(_member), Form(principals.MEMBER)]
Allowed = Annotated[tuple[Member, ...], Field(max_length=100)]
Denied = Annotated[
    tuple[Annotated[str, BeforeValidator(_denied), Form(principals.MEMBER)], ...], Field(max_length=100)
]
Homes = Annotated[tuple[Annotated[str, AfterValidator(_home), Form(_REPOSITORY)], ...], Field(max_length=20)]
PeopleSet = Annotated[tuple[Member, ...], Field(min_length=1, max_length=5000)]
PeopleSets = Annotated[
    dict[Annotated[str, AfterValidator(_set_name), Form(principals.SET_NAME)], PeopleSet],
    Field(max_length=500),
]
