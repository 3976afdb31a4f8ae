"""The journal of who decided what: a page of it, or all of it as JSON lines, also as it grows.

See docs/audit.md. Whoever gets here has `audit` or is an admin.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from starlette.responses import Response

from bot.access import scopes
from bot.errors import RetryLater
from bot.states import EntryKind
from bot.store import Store, journal
from bot.store.journal import Selection
from bot.store.watchers import JOURNAL
from bot.tables import JournalEntry
from bot.text.units import moment
from webhooks.access import Access, Visitor
from webhooks.api import queries
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem, away
from webhooks.api.shapes import Moment, Shape, Url, one_of
from webhooks.headers import SECURITY
from webhooks.streams import Stream, Streams, Write

BATCH = 500
"""Rows that are read at once for JSON lines."""
OVERLAP = 200
"""Rows that are looked at again where several bots record: what one of them began first may come later."""
LOOK_S = 15.0
"""Seconds after which it is looked at whether who follows may still read, and whether rows were missed."""

LINES = "application/jsonl"
_LINES = {**SECURITY, "Content-Type": f"{LINES}; charset=utf-8"}
_ASKING = (LINES, "application/x-ndjson", "application/x-jsonlines")


class Entry(Shape):
    """What somebody did, decided or was refused; `rule` is what decided, `facts` depend on the kind."""

    number: int
    at: Moment
    kind: Annotated[str, one_of(*EntryKind)]
    actor: str
    cause: str | None
    subject: str
    job: str | None
    run: int | None
    repository: str | None
    rule: str | None
    facts: dict[str, Any]


class Entries(Shape):
    """Rows of the journal, newest first; `next` is the address of the next page."""

    entries: list[Entry]
    next: Url | None


class AuditHandlers:
    """Reads; nothing here changes the journal."""

    def __init__(self, store: Store, streams: Streams, access: Access, clock: Callable[[], float]) -> None:
        self._store = store
        self._streams = streams
        self._access = access
        self._clock = clock

    async def list_audit(self, request: ApiRequest) -> Response | Entries:
        """The journal: who asked, decided and changed what, and by which rule, newest first."""
        query = dict(request.query)
        which = selection(query, self._clock())
        if _wants_lines(request):
            return self._lines(request, which)
        if "after" in query:
            raise Problem(400, "after: is for JSON lines (`format=jsonl`); a page goes on with `before`.")
        limit, before = queries.number(query, "limit") or 50, queries.number(query, "before")
        rows = await self._store.read(lambda s: journal.newest(s, which, limit=limit + 1, before=before))
        more = None
        if len(rows) > limit:
            more = f"/api/audit?{urlencode(query | {'before': str(rows[limit - 1].number)})}"
        return Entries.of(entries=[Entry.of(row) for row in rows[:limit]], next=more)

    def _lines(self, request: ApiRequest, which: Selection) -> Response:
        """All rows up to now, then, where they are followed, those to come."""
        query, visitor = request.query, request.visitor
        if "before" in query:
            raise Problem(400, "before: is for pages; JSON lines go on with `after`.")
        if not self._streams.has_room(visitor.key):
            raise away("Too many streams are open; try again soon.")
        after, most = queries.number(query, "after") or 0, queries.number(query, "limit")

        async def body(write: Write) -> None:
            if query.get("follow") != "1":
                await self._copy(write, which, after, most)
                return
            copying = asyncio.ensure_future(self._follow(write, which, after))
            revoked = asyncio.ensure_future(self._revoked(request))
            try:
                await asyncio.wait([copying, revoked], return_when=asyncio.FIRST_COMPLETED)
                if copying.done():
                    copying.result()
            finally:
                for task in (copying, revoked):
                    task.cancel()
                await asyncio.gather(copying, revoked, return_exceptions=True)

        return Stream(self._streams, visitor.key, body, _LINES)

    async def _copy(self, write: Write, which: Selection, after: int, most: int | None) -> None:
        left = most
        async for rows in self._batches(which, after):
            await write(_text(rows[:left]))
            left = None if left is None else left - len(rows)
            if left is not None and left <= 0:
                return

    async def _follow(self, write: Write, which: Selection, after: int) -> None:
        """What there is, then what comes, each row once."""
        with self._store.changes.listen(JOURNAL) as wakeup:
            overlap, begin = OVERLAP if self._store.is_shared else 0, after
            seen = deque[int](maxlen=2 * OVERLAP)
            while True:
                with suppress(RetryLater):
                    async for rows in self._batches(which, max(begin, after - overlap)):
                        new = [row for row in rows if row.number > after or row.number not in seen]
                        if new:
                            await write(_text(new))
                        seen.extend(row.number for row in new)
                        after = max(after, rows[-1].number)
                with suppress(TimeoutError):
                    await asyncio.wait_for(wakeup.wait(), LOOK_S)

    async def _batches(self, which: Selection, after: int) -> AsyncIterator[list[JournalEntry]]:
        """The rows that there are behind `after`, oldest first, some at a time."""
        while True:
            rows = await self._store.read(partial(journal.following, which=which, after=after, limit=BATCH))
            if rows:
                yield rows
            if len(rows) < BATCH:
                return
            after = rows[-1].number

    async def _revoked(self, request: ApiRequest) -> None:
        """Returns when who follows may read the journal no more."""
        visitor: Visitor | None = request.visitor
        while visitor is not None and scopes.may_audit(visitor.scopes):
            await asyncio.sleep(LOOK_S)
            with suppress(RetryLater):
                visitor = await self._access.visitor(request.http)


def selection(query: Mapping[str, str], now: float) -> Selection:
    """The rows that a query asks for; a `Problem` for moments that are none."""
    return Selection(
        since=_moment(query, "since", now),
        until=_moment(query, "until", now),
        actor=query.get("actor"),
        job=query.get("job"),
        kinds=tuple(queries.words(query, "kind")),
        run=queries.number(query, "run"),
        repository=query.get("repository"),
    )


def _moment(query: Mapping[str, str], name: str, now: float) -> float | None:
    if name not in query:
        return None
    try:
        return moment(query[name], now)
    except ValueError as error:
        raise Problem(400, f"{name}: {error}.") from None


def _wants_lines(request: ApiRequest) -> bool:
    query = request.query
    if query.get("follow") == "1" or "format" in query:
        return query.get("follow") == "1" or query["format"] == queries.JSON_LINES
    accepted = request.http.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    return accepted in _ASKING


def _text(rows: list[JournalEntry]) -> bytes:
    return b"".join(json.dumps(Entry.of(row).model_dump()).encode() + b"\n" for row in rows)
