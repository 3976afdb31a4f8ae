"""Each run's and build's page with its log, live while it is written."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from bot.states import State as RunState
from bot.states import attempt_name
from bot.store import Session, attempts, builds, runs
from bot.store.watchers import Subject
from bot.tables import Attempt, Run
from executor.logs.store import LogStore
from webhooks import text
from webhooks.access import Visitor
from webhooks.attempts import RunAttempt, run_attempts
from webhooks.headers import SECURITY
from webhooks.pages.live import Cursor, Live, LogRenderer, State
from webhooks.pages.parts import Pages, missing, number_of
from webhooks.streams import Stream, Write
from webhooks.view import Summary, build_summary, run_summary

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class _Subject:
    """One run or build with what its page needs of the row."""

    summary: Summary
    logs: LogStore
    log_key: str
    subjects: tuple[Subject, ...]
    attempts: tuple[RunAttempt, ...] = ()
    chosen: int = 1  # the attempt whose log is shown
    sidecars: tuple[str, ...] = ()  # of that attempt, as far as there are logs of them
    sidecar: str | None = None  # whose log is shown instead of the job's

    @property
    def file_name(self) -> str:
        """What the log is called where it is kept."""
        name = self.summary.file_name
        return f"{name.removesuffix('.log')}-{self.sidecar}.log" if self.sidecar else name


class SubjectPages:
    """The page of a run or a build, its events and its log; whoever gets here may see what they show."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A run or a build, with the end of its log as it is now."""
        subject = await self._subject(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        part = await text.last_part(subject.logs, subject.log_key)
        renderer = LogRenderer(Cursor(part.left_out, part.line) if part else Cursor())
        done = await asyncio.to_thread(renderer.feed, part.data, part.end) if part else ""
        return self._pages.renderer.page(
            "run.html",
            summary=subject.summary,
            log=done + renderer.open_line(),
            size=part.end if part else 0,
            gone=part is None and subject.summary.finished,
            left_out=part.left_out if part else 0,
            cursor=str(renderer.cursor),
            query=self._query(subject, visitor, subject.chosen, subject.sidecar),
            attempts=self._attempts(subject, visitor),
            sidecars=self._sidecars(subject, visitor),
            sidecar=subject.sidecar,
            file_name=subject.file_name,
            pinned="attempt" in request.query_params,
            build_link=self._build_link(subject.summary, visitor),
            visitor=visitor,
        )

    async def events(self, request: Request, visitor: Visitor) -> Response:
        """The same, as it goes on."""
        subject = await self._subject(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})
        point = request.headers.get("last-event-id") or request.query_params.get("from", "0")
        cursor = Cursor.parse(point)
        if cursor is None:
            return Response("That is no event id.", 400, dict(SECURITY), "text/plain")

        async def read_state() -> State | None:
            now = await self._subject(request, visitor)
            return None if now is None else self._state(now, visitor)

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        live = Live(subject.logs, subject.log_key, read_state=read_state, may_see=may_see, from_=cursor)

        async def body(write: Write) -> None:
            await live.run(self._pages.changes, subject.subjects, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    async def log(self, request: Request, visitor: Visitor) -> Response:
        """The whole log as text, as it is now."""
        subject = await self._subject(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def body(write: Write) -> None:
            await text.copy(subject.logs, subject.log_key, write)

        name = {"Content-Disposition": f'inline; filename="{subject.file_name}"'}
        return Stream(self._pages.streams, visitor.key, body, {**_TEXT, **name})

    async def _subject(self, request: Request, visitor: Visitor) -> _Subject | None:
        """The run or build that the path names, as it is now."""
        number = number_of(request.path_params["number"])
        if number is None or not await self._may_see(request, visitor, number):
            return None
        if request.url.path.startswith("/builds/"):
            build = await self._pages.store.read(lambda session: builds.get(session, number))
            if build is None:
                return None
            return _Subject(build_summary(build), self._pages.logs, build.name, (("build", number),))

        def read(session: Session) -> tuple[Run | None, Run | None, list[Attempt]]:
            run = runs.get(session, number)
            old = runs.get(session, run.rerun_of) if run is not None and run.rerun_of else None
            return run, old, attempts.of_runs(session, [number])[number]

        run, old, ended = await self._pages.store.read(read)
        if run is None:
            return None
        chosen = run.attempt
        if "attempt" in request.query_params:
            chosen = number_of(request.query_params["attempt"]) or 0
        if not 1 <= chosen <= run.attempt:
            return None
        subjects: tuple[Subject, ...] = (("run", number),)
        if run.build_number is not None and run.state in (RunState.WAITING, RunState.BUILDING):
            subjects += (("build", run.build_number),)
        logs, key = self._pages.logs, attempt_name(run.name, chosen)
        sidecars = tuple(await logs.beside(key).names())
        sidecar = request.query_params.get("container")
        if sidecar is not None:
            if sidecar not in sidecars:
                return None
            logs, key = logs.beside(key), sidecar
        rows = tuple(run_attempts(run, ended))
        return _Subject(run_summary(run, old), logs, key, subjects, rows, chosen, sidecars, sidecar)

    async def _may_see(self, request: Request, visitor: Visitor, number: int) -> bool:
        """Whether it is of a job that the visitor sees; a link was made for this very page."""
        if visitor.how == "link" or visitor.jobs is None:
            return True
        kind = request.url.path.split("/")[1]
        return not visitor.jobs.isdisjoint(await self._pages.access.jobs_of(kind, number))

    def _query(self, subject: _Subject, visitor: Visitor, attempt: int, sidecar: str | None = None) -> str:
        """What follows the path of this page and what belongs to it: whose log, and the signature."""
        parts = [f"attempt={attempt}"] if subject.summary.attempts > 1 else []
        if sidecar is not None:
            parts.append(f"container={sidecar}")
        if visitor.how == "link" and visitor.expires:
            parts.append(self._pages.access.link(subject.summary.path, visitor.expires).partition("?")[2])
        return "?" + "&".join(parts) if parts else ""

    def _attempts(self, subject: _Subject, visitor: Visitor) -> list[tuple[RunAttempt, str, bool]]:
        """Each attempt, where its page is, and whether its log is shown; none where there was only one."""
        if len(subject.attempts) < 2:
            return []
        path = subject.summary.path
        return [
            (each, path + self._query(subject, visitor, each.attempt), each.attempt == subject.chosen)
            for each in subject.attempts
        ]

    def _sidecars(self, subject: _Subject, visitor: Visitor) -> list[tuple[str, str, bool]]:
        """Each container of the pod that has a log, where that is, and whether it is shown."""
        if not subject.sidecars:
            return []
        path, names = subject.summary.path, (None, *subject.sidecars)
        return [
            (
                name or "job",
                path + self._query(subject, visitor, subject.chosen, name),
                name == subject.sidecar,
            )
            for name in names
        ]

    def _state(self, subject: _Subject, visitor: Visitor) -> State:
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
