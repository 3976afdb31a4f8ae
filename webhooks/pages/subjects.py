"""Each run's and build's page, live while it goes on."""

from starlette.requests import Request
from starlette.responses import Response

from webhooks.access import Visitor
from webhooks.attempts import RunAttempt
from webhooks.headers import SECURITY
from webhooks.pages import log
from webhooks.pages.live import Cursor, Live, State
from webhooks.pages.lookup import PageSubject, SubjectLookup
from webhooks.pages.parts import Pages, missing
from webhooks.streams import Stream, Write
from webhooks.view import Summary

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


class SubjectPages:
    """The page of a run or a build, and its events; whoever gets here may see what they show."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A run or a build, with the end of its log as it is now."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        return self._pages.renderer.page(
            "run.html",
            summary=subject.summary,
            query=self._lookup.query(subject, visitor, subject.chosen, subject.sidecar),
            attempts=self._attempts(subject, visitor),
            sidecars=self._sidecars(subject, visitor),
            pinned="attempt" in request.query_params,
            build_link=self._build_link(subject.summary, visitor),
            visitor=visitor,
            log=await log.shown(subject),
        )

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
            return None if now is None else self._state(now, visitor)

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        live = Live(subject.logs, subject.log_key, read_state=read_state, may_see=may_see, from_=cursor)

        async def body(write: Write) -> None:
            await live.run(self._pages.changes, subject.subjects, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    def _attempts(self, subject: PageSubject, visitor: Visitor) -> list[tuple[RunAttempt, str, bool]]:
        """Each attempt, where its page is, and whether its log is shown; none where there was only one."""
        if len(subject.attempts) < 2:
            return []
        path = subject.summary.path
        return [
            (each, path + self._lookup.query(subject, visitor, each.attempt), each.attempt == subject.chosen)
            for each in subject.attempts
        ]

    def _sidecars(self, subject: PageSubject, visitor: Visitor) -> list[tuple[str, str, bool]]:
        """Each container of the pod that has a log, where that is, and whether it is shown."""
        if not subject.sidecars:
            return []
        path, names = subject.summary.path, (None, *subject.sidecars)
        return [
            (
                name or "job",
                path + self._lookup.query(subject, visitor, subject.chosen, name),
                name == subject.sidecar,
            )
            for name in names
        ]

    def _state(self, subject: PageSubject, visitor: Visitor) -> State:
        summary = subject.summary
        head = self._pages.renderer.render(
            "head.html",
            summary=summary,
            attempts=self._attempts(subject, visitor),
            sidecars=self._sidecars(subject, visitor),
            build_link=self._build_link(summary, visitor),
            visitor=visitor,
        )
        title = f"{summary.status.symbol} {summary.name} #{summary.number}"
        data: dict[str, object] = {
            "head": head,
            "title": title,
            "word": summary.status.word,
            "kind": summary.status.kind,
            "attempt": len(subject.attempts),
        }
        return State(data, summary.finished)

    def _build_link(self, summary: Summary, visitor: Visitor) -> str | None:
        """Where the build of a run is: it is part of the run, so a link to one opens the other as long."""
        if summary.build_number is None:
            return None
        path = f"/builds/{summary.build_number}"
        return (
            self._pages.access.link(path, visitor.expires)
            if visitor.how == "link" and visitor.expires
            else path
        )
