"""The first page: what runs, waits, failed and comes, and its part that is read again after a change."""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.access import people, scopes
from bot.states import EVERYTHING, ActorKind
from bot.store import approvals
from webhooks.access import Visitor
from webhooks.headers import SECURITY
from webhooks.pages import hour
from webhooks.pages.board import DAY, MOST, ON_LINE, SHOWN, WEEK, Board, BoardReader
from webhooks.pages.freezes import FreezeRow
from webhooks.pages.parts import Pages
from webhooks.view import Summary, run_summary

LOOKED = "looked"
"""The cookie in which a browser keeps when its reader looked last, in whole seconds; a script sets it."""

OFFERED = 50
"""Locks and jobs that the form of a lock offers to choose from; others are typed."""

_MOMENT = re.compile(r"\d{9,11}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Span:
    """Since when failures are shown, and what that is called."""

    since: float
    words: str
    chosen: str = ""  # `day` or `week`, where somebody asked for that

    @property
    def query(self) -> str:
        """What asks for the same again."""
        return f"failed={self.chosen}" if self.chosen else f"since={math.floor(self.since)}"


@dataclass(frozen=True, slots=True)
class Own:
    """What is so for one visitor alone: whether they may lock, freeze, unlock and thaw everything (`every`),
    and which runs wait for their yes.
    """

    every: bool
    awaited: Sequence[Summary]


class OverviewPage:
    """Shows to each what they may see; whoever gets here may see something."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._reader = BoardReader(pages.store, pages.registry, pages.clock)

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The whole page."""
        board, own = await self._reader.board(visitor.jobs), await self._own(visitor)
        span = self._span(request)
        values = self._values(board, span, visitor, own) | {"job_count": self._jobs(visitor)}
        values["targets"] = self._targets(visitor, own.every) if values["may_hold"] else ()
        return self._pages.renderer.page("overview.html", 200, **values)

    async def part(self, request: Request, visitor: Visitor) -> Response:
        """What changes of it; nothing where the browser has that already (RFC 9110, section 13.1.2)."""
        board, own = await self._reader.board(visitor.jobs), await self._own(visitor)
        span = self._span(request)
        tag = _tag(board, span, visitor, own)
        headers = {**SECURITY, "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        html = self._pages.renderer.render("board.html", **self._values(board, span, visitor, own))
        return HTMLResponse(html, 200, headers)

    async def _own(self, visitor: Visitor) -> Own:
        actions = self._pages.actions
        is_session = visitor.how == "session"
        every = is_session and await actions.may_stop_everything(visitor.login, visitor.caller)
        return Own(every, await self._awaited(visitor))

    async def _awaited(self, visitor: Visitor) -> list[Summary]:
        """What waits for the visitor's yes, as far as that is known without asking anybody."""
        jobs, login = visitor.approves, visitor.login
        if login is None or not jobs:
            return []
        actor = ActorKind.GITHUB.named(login)
        rows = await self._pages.store.read(lambda s: approvals.awaited(s, jobs, actor, limit=SHOWN))
        return [run_summary(row) for row in rows]

    def _span(self, request: Request) -> Span:
        """The last day, unless somebody asks for more or looked later."""
        now, chosen = self._pages.clock(), request.query_params.get("failed")
        if chosen == "day":
            return Span(now - DAY, "within a day", "day")
        if chosen == "week":
            return Span(now - WEEK, "within a week", "week")
        looked = request.query_params.get("since") or request.cookies.get(LOOKED, "")
        if _MOMENT.fullmatch(looked) and now - WEEK < float(looked) <= now + 60:
            return Span(float(looked), "since you looked last")
        return Span(now - DAY, "within a day", "day")

    def _values(self, board: Board, span: Span, visitor: Visitor, own: Own) -> dict[str, object]:
        coming = None if board.coming is None else board.coming[:ON_LINE]
        failed = board.failed_since(span.since)
        return {
            "board": board,
            "span": span,
            "tag": _tag(board, span, visitor, own),
            "awaited": own.awaited,
            "approves": sorted(visitor.approves)[:SHOWN],
            "failed": board.failed[:failed],
            "failed_count": failed,
            "line": None if coming is None else hour.line(coming, self._pages.clock()),
            "starts": hour.starts(coming or ()),
            "most": MOST,
            "on_line": ON_LINE,
            "shown": SHOWN,
            "opens": self._opens(board, visitor, own.every),
            "thaws": _thaws(board, visitor, own.every),
            "may_hold": own.every or (visitor.how == "session" and scopes.may_run_some(visitor.scopes)),
            "every": own.every,
            "is_admin": scopes.may_change(visitor.scopes),
            "visitor": visitor,
        }

    def _opens(self, board: Board, visitor: Visitor, every: bool) -> set[str]:
        """The targets that they are offered to open."""
        shut = {lock.target: lock.closed.actor for lock in board.locks if lock.closed is not None}
        if not shut or visitor.how != "session":
            return set()
        jobs = self._pages.registry.catalog.jobs.values()
        found = {
            target for job in jobs for target in job.targets if target in shut and visitor.may_run(job.name)
        }
        if EVERYTHING in shut and not every and not people.is_same(shut[EVERYTHING], visitor.caller.name):
            found.discard(EVERYTHING)
        elif EVERYTHING in shut and every:
            found.add(EVERYTHING)
        return found

    def _targets(self, visitor: Visitor, every: bool) -> list[str]:
        """What the form of a lock offers: everything where they may, then locks of jobs that they may run."""
        mine = [job for job in self._pages.registry.catalog.jobs.values() if visitor.may_run(job.name)]
        named = sorted({lock for job in mine for lock in job.locks})
        first = [EVERYTHING] if every else []
        return list(dict.fromkeys([*first, *named, *(job.name for job in mine)]))[:OFFERED]

    def _jobs(self, visitor: Visitor) -> int:
        """How many jobs there are for the visitor."""
        described, jobs = self._pages.registry.descriptions, visitor.jobs
        return len(described) if jobs is None else sum(name in described for name in jobs)


def _thaws(board: Board, visitor: Visitor, every: bool) -> list[bool]:
    """Of each freeze whether they are offered to thaw it; those of everything are for some."""
    some = every or (visitor.how == "session" and scopes.may_run_some(visitor.scopes))

    def may(row: FreezeRow) -> bool:
        return every or (some and (not row.is_wide or people.is_same(row.by or "", visitor.caller.name)))

    return [row.is_manual and may(row) for row in board.freezes]


def _tag(board: Board, span: Span, visitor: Visitor, own: Own) -> str:
    """Another one as soon as the page would show this visitor something else."""
    rights = f"{visitor.how} {visitor.key} {len(visitor.scopes)} {scopes.may_change(visitor.scopes)}"
    theirs = f"{own.every} {[(run.number, run.detail) for run in own.awaited]}"
    text = f"{board.mark} {span.query} {board.failed_since(span.since)} {rights} {theirs}"
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
