"""What the table of routes is made of: an operation, what its handler is given, and what it answers with.

What can be read off the handler is said there alone: its name is the operation's, the first sentence of its
docstring the summary, its annotations say which body it takes and which shape it answers with.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from inspect import getdoc
from types import NoneType
from typing import Any, Generic, get_args

from pydantic import BaseModel
from starlette.requests import Request
from typing_extensions import TypeVar

from webhooks.access import Visitor
from webhooks.api import queries
from webhooks.api.problems import Problem

JSON = "application/json"
TEXT = "text/plain"

_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)

B = TypeVar("B", default=None)
V = TypeVar("V", default=Visitor)
D = TypeVar("D", covariant=True)


class Needs(Enum):
    """What a token has to have for a route; `admin` is enough for all of them."""

    ANY = "any token"
    SEE = "`read`; `run:JOB` for its own job"
    READ = "`read`"
    AUDIT = "`audit`"
    RUN = "`run:JOB`"
    ANSWER = "`run:JOB`; a login that sees it, or whose yes it takes"
    EXEC = "`exec`"
    CONCERNED = "`run:JOB` of a job concerned"
    EVERY = "`admin`; a login of `pages.admins` or `override`"
    ADMIN = "`admin`"
    HOOK = "the token of the job's hook"
    LOGIN = "a login"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ApiRequest(Generic[B, V]):
    """A request that was let in, with its body and query as the operation reads them, and who it is from.

    `key` is the idempotency key, where the operation takes one; `http` the request itself.
    """

    http: Request
    visitor: V
    body: B
    query: Mapping[str, str]
    key: str | None = None

    @property
    def path(self) -> Mapping[str, str]:
        """What the path names."""
        return self.http.path_params

    @property
    def number(self) -> int:
        """The number of a run or a build in the path; a `Problem` (404) for what is none."""
        return path_number(self.http)


@dataclass(frozen=True, slots=True)
class Reply(Generic[D]):
    """A document with a status or headers of its own; `location` is a path of this installation."""

    document: D
    status: int = 200
    location: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back: headers by name with what they say, and (None: the handler's own) its shape."""

    meaning: str = "The answer."
    headers: tuple[tuple[str, str], ...] = ()
    shape: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, and the method of a class that handles it.

    `route` is the path as it is mounted. `problems` are those of its own, besides what holds for all; None:
    404 where the path names something. `verb` is the command of a chat (`bot.commands.grammar`) that it
    carries out. `streamed` is a body that the handler reads by itself. `workflows`: whether a workflow of
    GitHub Actions may use it.
    """

    method: str
    route: str
    needs: Needs
    handler: Callable[[Any, Any], Awaitable[object]]
    special: Mapping[int, Answer] | None = None
    query: tuple[queries.Parameter, ...] = ()
    headers: tuple[queries.Parameter, ...] = ()
    streamed: type[BaseModel] | None = None
    problems: tuple[int, ...] | None = None
    verb: str | None = None
    workflows: bool = False

    @property
    def path(self) -> str:
        """Its path as people write it, such as `/api/tokens/{name}`."""
        return self.route.replace(":path}", "}")

    @property
    def id(self) -> str:
        """Its name in the OpenAPI document, and of functions that are made of it, such as `start_job`."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """What it does, to follow `it`."""
        sentence = (getdoc(self.handler) or "").partition("\n")[0].removesuffix(".")
        return sentence[:1].lower() + sentence[1:]

    @property
    def parsed(self) -> type[BaseModel] | None:
        """The model of the body that the handler is given."""
        models = get_args(self.handler.__annotations__["request"])
        return models[0] if models and models[0] is not NoneType else None

    @property
    def body(self) -> type[BaseModel] | None:
        """The model of the body."""
        return self.streamed or self.parsed

    @property
    def answers(self) -> dict[int, Answer]:
        """What it answers with, by status."""
        shape = self.handler.__annotations__["return"]
        if getattr(shape, "__origin__", None) is Reply:
            shape = get_args(shape)[0]
        if shape is None:
            return {204: Answer("It is gone.")} | dict(self.special or {})
        special = self.special or {200: Answer()}
        return {
            status: Answer(each.meaning, each.headers, each.shape or shape)
            for status, each in special.items()
        }


def path_number(request: Request) -> int:
    """The number of a run or a build in the path; 404 for what is none."""
    digits = request.path_params["number"]
    if not _DIGITS.fullmatch(digits) or digits.startswith("0"):
        raise Problem(404, "Runs and builds have numbers, as in /api/runs/142.")
    return int(digits)
