"""Who is logged in to the pages as a person, for admins: a list, and how one of them ends."""

from collections.abc import Callable

import structlog

from bot.errors import ProblemType
from bot.store import Store, sessions
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem
from webhooks.api.shapes import Moment, Shape

log = structlog.get_logger()


class Session(Shape):
    """A login of a person; `address` and `agent` are from where and with what, as its request said."""

    number: int
    login: str
    created_at: Moment
    expires_at: Moment
    address: str | None
    agent: str | None


class Sessions(Shape):
    """The newest 500 that go on, newest first."""

    sessions: list[Session]


class SessionHandlers:
    """Whoever gets here is an admin."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def list_sessions(self, request: ApiRequest) -> Sessions:
        """Who is logged in to the pages with GitHub, newest first."""
        now = self._clock()
        rows = await self._store.read(lambda s: sessions.of_people(s, now=now, limit=sessions.LISTED))
        return Sessions.of(sessions=rows)

    async def end_session(self, request: ApiRequest) -> None:
        """Ends a login at once."""
        number = request.number
        by, now = request.visitor.caller.name, self._clock()
        login = await self._store.write(lambda s: sessions.end_numbered(s, number, by=by, now=now))
        if login is None:
            raise Problem(404, "There is no such session.", kind=ProblemType.NO_SUCH_SESSION)
        log.info("session.ended", number=number, login=login, by=by)
