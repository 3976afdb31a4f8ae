"""Jobs, the runs of one, what was given up, and the events that tell when to look again."""

from starlette.requests import Request
from starlette.responses import Response

from bot.access import scopes
from bot.handlers.orders import standing_tag
from bot.store import Session, deliveries, locks, results, runs, series
from bot.tables import ImageTag, Run
from webhooks import schedules
from webhooks.access import Visitor
from webhooks.api import responses
from webhooks.api.operations import document
from webhooks.headers import SECURITY
from webhooks.pages import charts, following
from webhooks.pages.parts import Pages, message, missing, number_of
from webhooks.streams import Stream, Write
from webhooks.view import run_summary

RECENT = 30
"""Runs on the first page, and on each page of a job's history."""

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}

_JobPage = tuple[list[Run], list[series.EndedRun], schedules.Schedule | None, ImageTag | None]
"""The runs that are listed, those that are drawn, and what the first page shows besides."""


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

    async def history(self, request: Request, visitor: Visitor) -> Response:
        """The runs of one job, newest first; the first page also has its schedule and its chosen tag."""
        name = request.path_params["name"]
        hidden = visitor.jobs is not None and name not in visitor.jobs
        if hidden or "\0" in name:  # which PostgreSQL refuses to look for
            return missing(self._pages, visitor)
        before = number_of(request.query_params.get("before", ""))
        registry = self._pages.registry
        entry = registry.entry(name) if before is None else None
        last = charts.length(request.query_params.get("last"))

        def read(session: Session) -> _JobPage:
            page = runs.page(session, job=name, limit=RECENT + 1, before=before)
            drawn = [] if before is not None else series.ended(session, name, limit=last)
            if entry is None:
                return page, drawn, None, None
            schedule = schedules.of(session, entry.job, now=self._pages.clock())
            return page, drawn, schedule, standing_tag(session, entry.job, registry.catalog.images)

        page, drawn, schedule, tag = await self._pages.store.read(read)
        if not page and name not in registry.descriptions:
            return missing(self._pages, visitor)
        more = page[RECENT - 1].number if len(page) > RECENT else None
        return self._pages.renderer.page(
            "job.html",
            name=name,
            description=registry.descriptions.get(name, ""),
            runs=[run_summary(run) for run in page[:RECENT]],
            starters=entry.job.starters if entry else (),
            schedule=schedule,
            chart=charts.chart(drawn, last),
            tag=responses.ChosenTag.of_tag(tag) if tag else None,
            more=more,
            before=before,
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
