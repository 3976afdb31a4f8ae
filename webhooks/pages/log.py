"""The log of a run or a build: what of it its page shows, and the whole of it as text."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from webhooks import text
from webhooks.access import Visitor
from webhooks.headers import SECURITY
from webhooks.pages.live import Cursor, LogRenderer
from webhooks.pages.lookup import PageSubject, SubjectLookup
from webhooks.pages.parts import Pages, missing
from webhooks.streams import Stream, Write

_TEXT = {**SECURITY, "Content-Type": "text/plain; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class LogView:
    """What `log.html` shows: lines as HTML, bytes in all and before them, and the cursor of the open line."""

    lines: str
    size: int
    left_out: int
    cursor: str
    gone: bool
    sidecar: str | None
    file_name: str


async def shown(subject: PageSubject) -> LogView:
    """The end of the log as it is now."""
    part = await text.last_part(subject.logs, subject.log_key)
    renderer = LogRenderer(Cursor(part.left_out, part.line) if part else Cursor())
    done = await asyncio.to_thread(renderer.feed, part.data, part.end) if part else ""
    return LogView(
        done + renderer.open_line(),
        part.end if part else 0,
        part.left_out if part else 0,
        str(renderer.cursor),
        part is None and subject.summary.finished,
        subject.sidecar,
        subject.file_name,
    )


class LogPages:
    """The log as text; whoever gets here may see it."""

    def __init__(self, pages: Pages, lookup: SubjectLookup) -> None:
        self._pages = pages
        self._lookup = lookup

    async def text(self, request: Request, visitor: Visitor) -> Response:
        """The whole log as text, as it is now."""
        subject = await self._lookup.find(request, visitor)
        if subject is None:
            return missing(self._pages, visitor)
        if not self._pages.streams.has_room(visitor.key):
            return Response(status_code=503, headers={**SECURITY, "Retry-After": "5"})

        async def body(write: Write) -> None:
            await text.copy(subject.logs, subject.log_key, write)

        name = {"Content-Disposition": f'inline; filename="{subject.file_name}"'}
        return Stream(self._pages.streams, visitor.key, body, {**_TEXT, **name})
