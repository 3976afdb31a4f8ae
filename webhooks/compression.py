"""Pages and static files as gzip (RFC 1952), where the browser takes it and nobody can learn from their size.

How far a page shrinks tells what it repeats, so one with a secret in it must not be compressed together with
text that others chose (BREACH). The pages that signed links open have such a secret, their own address, and
stay as they are; so do login forms, streams, logs and the API.
"""

import asyncio
import gzip
import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from webhooks.access import Visitor

LEAST = 1024
"""Bytes below which compressing is not worth it."""

_INLINE = 64 * 1024
"""Bytes that are compressed on the loop, within a millisecond or two; more is for a thread."""

_LEVEL = 5
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q\s*=\s*(0(?:\.\d+)?|1(?:\.0+)?)\s*)?(?=,|$)", re.ASCII | re.I)


def takes_gzip(request: Request) -> bool:
    """Whether the browser says that it reads gzip."""
    match = _GZIP.search(request.headers.get("accept-encoding", ""))
    return match is not None and float(match[1] or 1) > 0


def pack(body: bytes) -> bytes:
    """The body as gzip, the same each time."""
    return gzip.compress(body, _LEVEL, mtime=0)


async def compressed(request: Request, response: Response, visitor: Visitor) -> Response:
    """The page, compressed where that is right."""
    if not isinstance(response, HTMLResponse) or visitor.how == "link":
        return response
    response.headers["Vary"] = "Accept-Encoding"
    body = bytes(response.body)
    if len(body) >= LEAST and takes_gzip(request):
        response.body = pack(body) if len(body) <= _INLINE else await asyncio.to_thread(pack, body)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response
