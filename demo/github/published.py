"""What the stand-in tells of a request, to whoever knows GitHub's published description of its API."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

_NOT_REST = ("/graphql", "/_services/")


@dataclass(frozen=True, slots=True)
class Sent:
    """A request of the REST API; `path` names repositories by their names, `body` None: there is none."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any


Misfit = Callable[[Sent], str | None]
"""Says what in a request does not fit the description, None where all does."""


async def misfit(request: Request, check: Misfit | None) -> str | None:
    """What `check` has against the request; what is not of the REST API always fits."""
    path = request.scope["path"]
    if check is None or path.startswith(_NOT_REST):
        return None
    raw = await request.body()
    try:
        body = json.loads(raw) if raw else None
    except ValueError:
        return f"{request.method} {path}: the body is no JSON"
    return check(Sent(request.method, path, dict(request.query_params), body))
