"""Who reads a place, and what of a run or a build may be told where everybody does.

The place decides, asked when something is posted: a repository may have become public since, and a run
of a private one, or of none, can be asked about in a public one.
"""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import Any, TypeVar

from bot.errors import Refused
from bot.github import GitHub
from bot.slack import Slack
from bot.tables import Build, Run

KEPT_SECONDS = 60.0
"""How long an answer holds."""
MOST_PLACES = 1000
"""Answers that are kept."""

Row = TypeVar("Row", bound=Build | Run)

_OF_BUILDS: dict[str, Any] = {"tail": [], "message": None, "reason_on": None}
_UNSAID = {
    "build": _OF_BUILDS,
    "run": _OF_BUILDS
    | {"parameters": {}, "arguments": [], "waiting_for": None, "waiting_on": None, "stop_by": None}
    | {"outputs": None, "summary": None, "progress": None, "digest": None},
}
"""What takes the place of what is not told where everybody reads."""


class Audience:
    """Whether others than the team read a repository or a channel; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}

    async def reads_repository(self, github: GitHub, repository: str) -> bool:
        """Whether anyone may read it; yes where GitHub refuses to say. `RetryLater` if unknown now."""

        async def ask() -> bool:
            try:
                return not (await github.repository(repository)).private
            except Refused:
                return True

        return await self._answer(f"github:{repository.casefold()}", ask)

    def note(self, repository: str, *, private: bool) -> None:
        """GitHub has just said it, as part of another answer."""
        self._keep(f"github:{repository.casefold()}", is_open=not private)

    async def reads_channel(self, slack: Slack, channel: str) -> bool:
        """Whether another organisation is in the channel; no where Slack's scopes do not let us know."""
        return await self._answer(f"slack:{channel}", lambda: slack.is_shared(channel))

    async def _answer(self, place: str, ask: Callable[[], Awaitable[bool]]) -> bool:
        until, is_open = self._known.get(place, (0.0, True))
        if until <= self._clock():
            is_open = await ask()
            self._keep(place, is_open=is_open)
        return is_open

    def _keep(self, place: str, *, is_open: bool) -> None:
        if len(self._known) >= MOST_PLACES:
            self._known.clear()
        self._known[place] = (self._clock() + KEPT_SECONDS, is_open)


def outward(row: Row) -> Row:
    """`row` as it may be told where everybody reads.

    Of what was not public when it was asked for, that is that it is there and how it stands: no line of
    its log, no value, and no sentence that an engine or a registry wrote.
    """
    return row if row.public else type(row)(**row.model_dump() | deepcopy(_UNSAID[row.kind]))
