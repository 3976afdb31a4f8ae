"""The log of a run or a build: what of it its page shows, and the whole of it as text."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from executor.logs.moments import Moments
from webhooks import log_search, text
from webhooks.access import Visitor
from webhooks.headers import SECURITY
from webhooks.log_search import Bounds, End, Match, Words
from webhooks.pages import windows
from webhooks.pages.errors import LOOKS_LIKE_ERROR
from webhooks.pages.folds import folded
from webhooks.pages.live import Cursor, LogRenderer
from webhooks.pages.lookup import PageSubject, SubjectLookup
from webhooks.pages.parts import Pages, missing, number_of
from webhooks.pages.windows import Window
from webhooks.streams import Stream, Write
from webhooks.text import Extent

MOST_SEARCHES = 2
"""Searches that look at a piece of a log at the same time; others wait for their turn."""

_JSON_LINES = {
    **SECURITY,
    "Content-Type": "application/x-ndjson",
    "X-Accel-Buffering": "no",
    "Vary": "Accept",
}
_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class LogView:
    """What `log.html` shows: lines as HTML from `first` to `last`, and the cursor of the open line.

    `size` is that of all of the log in bytes, `whole` whether nothing follows what is shown.
    """

    lines: str
    first: int
    last: int
    size: int
    whole: bool
    cursor: str
    gone: bool
    sidecar: str | None
    file_name: str
    address: "LogAddress"
    timed: bool  # lines say when they were kept, as far as that is known
    times_known: bool


@dataclass(frozen=True, slots=True)
class LogAddress:
    """Where the page of a log is: its path, and what belongs to it, whose log and the signature."""

    path: str
    query: str

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a form of this page has to send along."""
        return parse_qsl(self.query.removeprefix("?"))

    def at(self, **where: int) -> str:
        """The address of another window of the same log; of its end where nothing is said."""
        return self.path + self.query + (("&" if self.query else "?") + urlencode(where) if where else "")


_WINDOWS = {"line": windows.around, "before": windows.before, "after": windows.after}


def window_of(params: Mapping[str, str]) -> dict[str, int]:
    """Which window the address asks for; nothing for the end of the log."""
    found = ((name, number_of(params.get(name, ""))) for name in _WINDOWS)
    return {name: line for name, line in found if line is not None}


async def shown(subject: PageSubject, params: Mapping[str, str], query: str) -> LogView:
    """The end of the log as it is now, or what the address asks for: `line`, `before` or `after`."""
    logs, key = subject.logs, subject.log_key
    window = None
    for name, line in window_of(params).items():
        window = await _WINDOWS[name](logs, key, line)
        break
    else:
        window = await windows.last(logs, key)
    renderer = LogRenderer(Cursor(window.start, window.line) if window else Cursor())
    moments = None
    if window and subject.times:
        moments = await logs.moments(key, window.start, window.end)
    lines = await asyncio.to_thread(_rendered, renderer, window, moments) if window else ""
    cursor = renderer.cursor if window is None or window.whole else Cursor(window.size)
    return LogView(
        lines,
        window.line if window else 1,
        renderer.cursor.line - (0 if renderer.open_line() else 1),
        window.size if window else 0,
        window is None or window.whole,
        str(cursor),
        window is None and subject.summary.finished,
        subject.sidecar,
        subject.file_name,
        LogAddress(subject.summary.path, query),
        subject.times,
        bool(moments),
    )


def _rendered(renderer: LogRenderer, window: Window, moments: Moments | None) -> str:
    done = renderer.feed(window.data, window.end, moments)
    return folded(done + renderer.open_line())


class LogPages:
    """The log as text, and what is found in it; whoever gets here may see it."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup
        self._searches = asyncio.Semaphore(MOST_SEARCHES)

    async def text(self, request: Request, visitor: Visitor) -> Response:
        """The whole log as text, as it is now."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def body(write: Write) -> None:
            await text.copy(subject.logs, subject.log_key, write, Extent(stamped=subject.times))

        name = {"Content-Disposition": f'inline; filename="{subject.file_name}"'}
        return Stream(self._pages.streams, visitor.key, body, {**_TEXT, **name})

    async def search(self, request: Request, visitor: Visitor) -> Response:
        """The lines with `q` in them: a page, or as they are found for whoever accepts JSON lines."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        params = request.query_params
        what = log_search.words(params.get("q", ""), exact=params.get("case") == "1")
        after = number_of(params.get("after", "")) or 0
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})
        if "application/x-ndjson" not in request.headers.get("accept", ""):
            return await self._found_page(subject, visitor, what, after, params)

        async def body(write: Write) -> None:
            async for one in self._search(subject, what, after):
                kind = "match" if isinstance(one, Match) else "end"
                await write(json.dumps({"kind": kind, **asdict(one)}).encode() + b"\n")

        return Stream(self._pages.streams, visitor.key, body, _JSON_LINES)

    async def first_error(self, request: Request, visitor: Visitor) -> Response:
        """Leads to the first line that looks like an error, or says that none does."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})
        matches, end = await self._found(subject, visitor, LOOKS_LIKE_ERROR, most=1)
        if matches:
            address = self._address(subject, visitor).at(line=matches[0].line)
            return RedirectResponse(f"{address}#L{matches[0].line}", 303, {"Cache-Control": "no-store"})
        words = "No line of the log looks like an error."
        if end.why:
            words = f"None of the first {end.line:,} lines looks like an error; the rest was not looked at."
        return self._search_page(subject, visitor, words=words)

    async def _found_page(
        self, subject: PageSubject, visitor: Visitor, what: Words, after: int, params: Mapping[str, str]
    ) -> Response:
        q, case = params.get("q", "")[: log_search.LONGEST], params.get("case") == "1"
        if not q:
            return self._search_page(subject, visitor)
        matches, end = await self._found(subject, visitor, what, after=after)
        return self._search_page(subject, visitor, q=q, case=case, matches=matches, end=end)

    def _search_page(self, subject: PageSubject, visitor: Visitor, **values: object) -> Response:
        nothing: dict[str, object] = {"words": None, "q": "", "case": False, "matches": [], "end": None}
        address = self._address(subject, visitor)
        shown = {**nothing, **values, "address": address, "summary": subject.summary, "visitor": visitor}
        return self._pages.renderer.page("search.html", 200, **shown)

    async def _found(
        self,
        subject: PageSubject,
        visitor: Visitor,
        what: Words,
        *,
        after: int = 0,
        most: int = log_search.MOST_MATCHES,
    ) -> tuple[list[Match], End]:
        """All that one search finds; it counts as a stream of the visitor as long as it takes."""
        matches: list[Match] = []
        end = End(1, None)
        with self._pages.streams.counted(visitor.key):
            async for one in self._search(subject, what, after, most):
                if isinstance(one, Match):
                    matches.append(one)
                else:
                    end = one
        return matches, end

    def _search(
        self, subject: PageSubject, what: Words, after: int, most: int = log_search.MOST_MATCHES
    ) -> AsyncIterator[Match | End]:
        bounds = Bounds(most, slots=self._searches)
        return log_search.search(subject.logs, subject.log_key, what, after=after, bounds=bounds)

    def _address(self, subject: PageSubject, visitor: Visitor) -> LogAddress:
        query = self._lookup.query(subject, visitor, subject.chosen, subject.sidecar)
        return LogAddress(subject.summary.path, query)
