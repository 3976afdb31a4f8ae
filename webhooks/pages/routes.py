"""The pages: jobs and runs, and each run's and build's page with its log, live while it is written."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.access import scopes
from bot.errors import RetryLater
from bot.handlers.orders import standing_tag
from bot.registry import Registry
from bot.states import State as RunState
from bot.states import attempt_name
from bot.store import Session, Store, attempts, builds, deliveries, locks, results, runs
from bot.store.watchers import ChangeFeed, Subject
from bot.tables import Attempt, ImageTag, Run
from executor.logs.store import LogStore
from webhooks import schedules, text
from webhooks.access import Access, Visitor
from webhooks.api import responses
from webhooks.api.operations import document
from webhooks.attempts import RunAttempt, run_attempts
from webhooks.compression import compressed
from webhooks.headers import SECURITY
from webhooks.pages import following
from webhooks.pages.live import Cursor, Live, LogRenderer, State
from webhooks.pages.login import Login
from webhooks.pages.renderer import PageRenderer
from webhooks.streams import Stream, Streams, Write
from webhooks.view import Summary, build_summary, run_summary

RECENT = 30
"""Runs on the first page, and on each page of a job's history."""

_EVENTS = {**SECURITY, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages are made of; `registry` knows the jobs, their descriptions and schedules."""

    store: Store
    logs: LogStore
    changes: ChangeFeed
    streams: Streams
    access: Access
    renderer: PageRenderer
    clock: Callable[[], float]
    registry: Registry


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


Handler = Callable[[Request, Visitor], Awaitable[Response]]


def routes(pages: Pages) -> list[Route]:
    """All pages, the login and the static files."""
    login = Login(pages.access, pages.renderer, clock=pages.clock)
    handlers = _PageHandlers(pages)

    def guarded(path: str, handler: Handler, *, every: bool = False) -> Route:
        return Route(path, _guard(pages, login, handler, every=every), methods=["GET"])

    mounts = [
        guarded("/", handlers.overview),
        guarded("/events", handlers.changes),
        guarded("/jobs/{name}", handlers.history),
        guarded("/deliveries", handlers.deliveries),
    ]
    mounts += [guarded("/api/", handlers.api, every=True), guarded("/api", handlers.api, every=True)]
    for kind in ("runs", "builds"):
        mounts += [
            guarded(f"/{kind}/{{number}}", handlers.page),
            guarded(f"/{kind}/{{number}}/events", handlers.events),
            guarded(f"/{kind}/{{number}}/log", handlers.log),
        ]
    return [*mounts, *login.routes(), pages.renderer.route()]


def _guard(
    pages: Pages, login: Login, handler: Handler, *, every: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """First who asks, only then what for. `every`: for a token of whatever scope."""

    async def guarded(request: Request) -> Response:
        try:
            visitor = await pages.access.visitor(request)
            if visitor is None:
                return login.ask(request)
            if not every and visitor.how != "link" and not visitor.sees_all:
                return _message(pages, 403, "Not with this token", "Pages show everything: they need `read`.")
            return await compressed(request, await handler(request, visitor), visitor)
        except RetryLater:
            response = _message(pages, 503, "Not now", "The database does not answer. Try again in a moment.")
            response.headers["Retry-After"] = "5"
            return response

    return guarded


def _message(pages: Pages, status: int, title: str, words: str, visitor: Visitor | None = None) -> Response:
    return pages.renderer.page("message.html", status, title=title, words=words, visitor=visitor)


class _PageHandlers:
    """The handlers; whoever gets here may see what they show."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def overview(self, request: Request, visitor: Visitor) -> Response:
        """Jobs with their last run, what is locked, and what ran last."""
        described, now = dict(self._pages.registry.descriptions), self._pages.clock()

        def read(session: Session) -> tuple[list[Run], dict[str, Run], list[locks.Standing]]:
            recent = runs.page(session, limit=RECENT)
            return recent, results.newest(session, list(described)), locks.standing(session, now=now)

        recent, last, locked = await self._pages.store.read(read)
        jobs = [
            (name, described[name], run_summary(run) if (run := last.get(name)) else None)
            for name in sorted(described)
        ]
        return self._pages.renderer.page(
            "overview.html",
            jobs=jobs,
            locks=locked,
            runs=[run_summary(run) for run in recent],
            visitor=visitor,
        )

    async def history(self, request: Request, visitor: Visitor) -> Response:
        """The runs of one job, newest first; the first page also has its schedule and its chosen tag."""
        name = request.path_params["name"]
        if "\0" in name:  # which PostgreSQL refuses to look for
            return self._missing(visitor)
        before = _number(request.query_params.get("before", ""))
        registry = self._pages.registry
        entry = registry.entry(name) if before is None else None

        def read(session: Session) -> tuple[list[Run], schedules.Schedule | None, ImageTag | None]:
            page = runs.page(session, job=name, limit=RECENT + 1, before=before)
            if entry is None:
                return page, None, None
            schedule = schedules.of(session, entry.job, now=self._pages.clock())
            return page, schedule, standing_tag(session, entry.job, registry.catalog.images)

        page, schedule, tag = await self._pages.store.read(read)
        if not page and name not in registry.descriptions:
            return self._missing(visitor)
        more = page[RECENT - 1].number if len(page) > RECENT else None
        return self._pages.renderer.page(
            "job.html",
            name=name,
            description=registry.descriptions.get(name, ""),
            runs=[run_summary(run) for run in page[:RECENT]],
            starters=entry.job.starters if entry else (),
            schedule=schedule,
            tag=responses.ChosenTag.of_tag(tag) if tag else None,
            more=more,
            before=before,
            visitor=visitor,
        )

    async def deliveries(self, request: Request, visitor: Visitor) -> Response:
        """What came in and was given up, for admins, with the command that tries it again."""
        if visitor.how == "link" or not scopes.may_change(visitor.scopes):
            return _message(self._pages, 403, "Not with this token", "This page needs `admin`.", visitor)
        before = _number(request.query_params.get("before", ""))
        rows = await self._pages.store.read(lambda s: deliveries.given_up(s, limit=RECENT + 1, before=before))
        more = rows[RECENT - 1].number if len(rows) > RECENT else None
        return self._pages.renderer.page(
            "deliveries.html", deliveries=rows[:RECENT], before=before, more=more, visitor=visitor
        )

    async def changes(self, request: Request, visitor: Visitor) -> Response:
        """An event whenever a page that lists runs is to be read again."""
        if visitor.how == "link":
            return self._missing(visitor)
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

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A run or a build, with the end of its log as it is now."""
        subject = await self._subject(request)
        if subject is None:
            return self._missing(visitor)
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
        subject = await self._subject(request)
        if subject is None:
            return self._missing(visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})
        point = request.headers.get("last-event-id") or request.query_params.get("from", "0")
        cursor = Cursor.parse(point)
        if cursor is None:
            return Response("That is no event id.", 400, dict(SECURITY), "text/plain")

        async def read_state() -> State | None:
            now = await self._subject(request)
            return None if now is None else self._state(now, visitor)

        async def may_see() -> bool:
            return await self._pages.access.visitor(request) is not None

        live = Live(subject.logs, subject.log_key, read_state=read_state, may_see=may_see, from_=cursor)

        async def body(write: Write) -> None:
            await live.run(self._pages.changes, subject.subjects, write)

        return Stream(self._pages.streams, visitor.key, body, _EVENTS)

    async def log(self, request: Request, visitor: Visitor) -> Response:
        """The whole log as text, as it is now."""
        subject = await self._subject(request)
        if subject is None:
            return self._missing(visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def body(write: Write) -> None:
            await text.copy(subject.logs, subject.log_key, write)

        name = {"Content-Disposition": f'inline; filename="{subject.file_name}"'}
        return Stream(self._pages.streams, visitor.key, body, {**_TEXT, **name})

    async def _subject(self, request: Request) -> _Subject | None:
        """The run or build that the path names, as it is now."""
        number = _number(request.path_params["number"])
        if number is None:
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
            chosen = _number(request.query_params["attempt"]) or 0
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

    def _missing(self, visitor: Visitor) -> Response:
        return _message(
            self._pages, 404, "Not here", "There is no such page, or what it showed was removed.", visitor
        )


def _number(digits: str) -> int | None:
    """A positive 64-bit number in plain decimal digits, or None."""
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18 or digits.startswith("0"):
        return None
    return int(digits)
