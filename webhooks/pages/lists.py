"""Jobs, the runs of one, what was given up, and the events that tell when to look again."""

from starlette.requests import Request
from starlette.responses import Response

from bot.access import scopes
from bot.store import Session, deliveries, locks, results, runs
from bot.tables import Run
from webhooks.access import Visitor
from webhooks.api.operations import document
from webhooks.headers import SECURITY
from webhooks.pages import following
from webhooks.pages.parts import Pages, message, missing, number_of
from webhooks.streams import Stream, Write
from webhooks.view import run_summary

RECENT = 30
"""Runs on the first page, and on each page of a job's history."""

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class ListPages:
    """Pages that list something; whoever gets here may see what they show."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def overview(self, request: Request, visitor: Visitor) -> Response:
        """Jobs with their last run, what is locked, and what ran last."""
        jobs, now = visitor.jobs, self._pages.clock()
        described = {
            name: words
            for name, words in self._pages.registry.descriptions.items()
            if jobs is None or name in jobs
        }

        def read(session: Session) -> tuple[list[Run], dict[str, Run], list[locks.Standing]]:
            recent = runs.page(session, jobs=jobs, limit=RECENT)
            standing = locks.standing(session, now=now) if jobs is None else []
            return recent, results.newest(session, list(described)), standing

        recent, last, locked = await self._pages.store.read(read)
        rows = [
            (name, described[name], run_summary(run) if (run := last.get(name)) else None)
            for name in sorted(described)
        ]
        return self._pages.renderer.page(
            "overview.html",
            jobs=rows,
            locks=locked,
            runs=[run_summary(run) for run in recent],
            visitor=visitor,
        )

    async def deliveries(self, request: Request, visitor: Visitor) -> Response:
        """What came in and was given up, for admins, with the command that tries it again."""
        if visitor.how == "link" or not scopes.may_change(visitor.scopes):
            return message(self._pages, 403, "Not with this token", "This page needs `admin`.", visitor)
        before = number_of(request.query_params.get("before", ""))
        rows = await self._pages.store.read(lambda s: deliveries.given_up(s, limit=RECENT + 1, before=before))
        more = rows[RECENT - 1].number if len(rows) > RECENT else None
        return self._pages.renderer.page(
            "deliveries.html", deliveries=rows[:RECENT], before=before, more=more, visitor=visitor
        )

    async def changes(self, request: Request, visitor: Visitor) -> Response:
        """An event whenever a page that lists runs is to be read again."""
        if visitor.how == "link":
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        async def body(write: Write) -> None:
            await following.follow(self._pages.changes, may_see, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    async def api(self, request: Request, visitor: Visitor) -> Response:
        """What the API takes and answers, to read."""
        return self._pages.renderer.page("api.html", document=document(), visitor=visitor)
