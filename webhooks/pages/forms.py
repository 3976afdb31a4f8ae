"""The fields of a form that a browser sent, read within bounds."""

import asyncio
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

LONGEST = 256 * 1024
"""Bytes of a form; a job's parameters fit into it, and its definition."""
MOST_FIELDS = 500
FORM_S = 10.0
"""Seconds that a form may take to arrive."""


class FormUnreadable(Exception):
    """What was sent is no form, or more than is taken: one sentence for whoever sent it."""


async def fields_of(request: Request, *, longest: int = LONGEST) -> dict[str, str]:
    """The fields, of those with the same name the last; raises `FormUnreadable`."""
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > longest:
                    raise FormUnreadable(f"A form of more than {longest} bytes is not taken.")
        pairs = parse_qsl(bytes(body).decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except (ValueError, TimeoutError, ClientDisconnect):
        raise FormUnreadable("The form could not be read.") from None
    return dict(pairs)
