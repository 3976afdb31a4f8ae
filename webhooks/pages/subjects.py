"""Each run's and build's page, live while it goes on."""

from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from webhooks.access import Visitor
from webhooks.headers import SECURITY
from webhooks.pages import log
from webhooks.pages.heads import Heads
from webhooks.pages.live import Cursor, Live, State
from webhooks.pages.lookup import PageSubject, SubjectLookup
from webhooks.pages.parts import Pages, missing
from webhooks.streams import Stream, Write

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class SubjectPages:
    """The page of a run or a build, and its events; whoever gets here may see what they show."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup
        self._heads = Heads(pages, lookup)

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A run or a build, with the end of its log as it is now."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        query = self._lookup.query(subject, visitor, subject.chosen, subject.sidecar)
        return self._pages.renderer.page(
            "run.html",
            query=query,
            pinned="attempt" in request.query_params,
            log=await log.shown(subject, request.query_params, query),
            times=self._times(subject, visitor, request.query_params),
            **await self._heads.of(subject, visitor),
        )

    def _times(self, subject: PageSubject, visitor: Visitor, params: Mapping[str, str]) -> str:
        """The address of the same lines with times, or without where they have them."""
        other = replace(subject, times=not subject.times)
        query = self._lookup.query(other, visitor, subject.chosen, subject.sidecar)
        return log.LogAddress(subject.summary.path, query).at(**log.window_of(params))

    async def events(self, request: Request, visitor: Visitor) -> Response:
        """The same, as it goes on."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})
        point = request.headers.get("last-event-id") or request.query_params.get("from", "0")
        cursor = Cursor.parse(point)
        if cursor is None:
            return Response("That is no event id.", 400, dict(SECURITY), "text/plain")

        async def read_state() -> State | None:
            now = await self._lookup.find(request, visitor)
            return None if now is None else await self._state(now, visitor)

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        live = Live(
            subject.logs,
            subject.log_key,
            read_state=read_state,
            may_see=may_see,
            from_=cursor,
            times=subject.times,
        )

        async def body(write: Write) -> None:
            await live.run(self._pages.changes, subject.subjects, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    async def _state(self, subject: PageSubject, visitor: Visitor) -> State:
        summary = subject.summary
        data: dict[str, object] = {
            "head": self._pages.renderer.render("head.html", **await self._heads.of(subject, visitor)),
            "title": f"{summary.status.symbol} {summary.name} #{summary.number}",
            "word": summary.status.word,
            "kind": summary.status.kind,
            "attempt": len(subject.attempts),
        }
        return State(data, summary.finished)
