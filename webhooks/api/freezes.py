"""Freezes over the API: what is frozen or will be, and how one begins and ends. See docs/freezes.md."""

from collections.abc import Callable
from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, Field

from bot.catalog.freezes import REASON_CHARACTERS, Calendar, Standing
from bot.commands import parser
from bot.handlers.questions import QueryHandler
from bot.store import Store, freezes
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import wrong
from webhooks.api.requests import Body, Seconds, printable
from webhooks.api.shapes import Moment, Shape, Text

log = structlog.get_logger()


class Freeze(Shape):
    """Of what nothing starts (of nothing at all where all three are empty), from when until when, and why.

    `actor` is null for one of the file, `until` for one that somebody has to end.
    """

    jobs: list[str]
    locks: list[str]
    environments: list[str]
    since: Moment
    until: Moment | None
    why: str | None
    actor: str | None
    on: bool

    @classmethod
    def of_standing(cls, standing: Standing, now: float) -> "Freeze":
        """As the API tells it."""
        scope = standing.scope
        return cls(
            jobs=list(scope.jobs),
            locks=list(scope.locks),
            environments=list(scope.environments),
            since=standing.begin,
            until=standing.end,
            why=standing.why,
            actor=standing.by,
            on=standing.is_on(now),
        )


class Freezes(Shape):
    """Those that people began, then those of the file that are on, or begin within a week or once later."""

    freezes: list[Freeze]


class FreezeAnswer(Shape):
    """A freeze that began; `text` is what the command is answered in a chat, in Markdown."""

    freeze: Freeze
    text: Text


class ThawAnswer(Shape):
    """One that is over."""

    text: Text


_Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(printable)]


class FreezeRequest(Body):
    """What is frozen (everything where nothing is named), why, and until when or for how long."""

    job: _Pattern | None = Field(default=None, description="Only this job; `*` stands for letters of a name.")
    lock: _Pattern | None = Field(default=None, description="Only jobs with this `lock`.")
    environment: _Pattern | None = Field(default=None, description="Only deployments to this environment.")
    why: (
        Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS), AfterValidator(printable)] | None
    ) = Field(default=None, description="It is told to everybody who runs into it.")
    until: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="A date, a time or both (ISO 8601), in UTC unless it names its own offset."
    )
    duration: Seconds | None = Field(default=None, description="How long from now, such as `2h`.")


class FreezeHandlers:
    """Whoever gets here may run something; whether they may freeze what they name is asked by the verbs."""

    def __init__(
        self,
        questions: QueryHandler,
        calendar: Callable[[], Calendar],
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        self._questions = questions
        self._calendar = calendar
        self._store = store
        self._clock = clock

    async def list_freezes(self, request: ApiRequest) -> Freezes:
        """What is frozen now or will be: by whom, why and until when."""
        now, calendar = self._clock(), self._calendar()
        found = await self._store.read(lambda s: freezes.standings(s, calendar, now=now))
        return Freezes(freezes=[Freeze.of_standing(each, now) for each in found])

    async def begin_freeze(self, request: ApiRequest[FreezeRequest]) -> Reply[FreezeAnswer]:
        """Keeps everything from starting, or what is named; what has begun goes on."""
        body, caller = request.body, request.visitor.caller
        if body.until is not None and body.duration is not None:
            raise wrong([("/duration", "expected either until or duration, not both")])
        of: Any = (body.job, body.lock, body.environment)
        made, text = await self._questions.freeze(
            caller, parser.Freeze(body.why, body.until, body.duration, *of)
        )
        log.info("freeze.begun", by=caller.name, until=made.end)
        answer = FreezeAnswer(freeze=Freeze.of_standing(made, self._clock()), text=text)
        return Reply(answer, 201)

    async def end_freeze(self, request: ApiRequest) -> ThawAnswer:
        """Ends a freeze that somebody began of everything, or of exactly what is named."""
        query, caller = request.query, request.visitor.caller
        text = await self._questions.thaw(
            caller, parser.Thaw(query.get("job"), query.get("lock"), query.get("environment"))
        )
        log.info("freeze.ended", by=caller.name)
        return ThawAnswer(text=text)
