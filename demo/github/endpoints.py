"""What all endpoints share: the state, who calls, bodies, commits and pages."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import Access, ApiError
from demo.github.shapes import Json, Shapes
from demo.github.state import Repository, State
from demo.watched import SLASH

PAGE = 30
LARGEST_PAGE = 100
REPO = "/repos/{owner}/{repo}"

Endpoint = Callable[[Request], Awaitable[Response]]
Table = list[tuple[str, str, Endpoint]]


class Endpoints(ABC):
    """Some endpoints of the API; `table` lists them as method, path and handler."""

    def __init__(self, state: State, access: Access, shapes: Shapes, clock: Callable[[], float]) -> None:
        self._state = state
        self._access = access
        self._shapes = shapes
        self._clock = clock

    @abstractmethod
    def table(self) -> Table:
        """The endpoints."""

    async def _sha(self, repository: Repository, ref: str) -> str:
        name = ref.replace(SLASH, "/")
        sha = await asyncio.to_thread(repository.resolve, name)
        if sha is None:
            raise ApiError(422, f"No commit found for SHA: {name}")
        return sha

    async def _full_sha(self, repository: Repository, sha: str) -> str:
        """Statuses and checks take whole SHAs only."""
        if len(sha) != 40 or await self._sha(repository, sha) != sha:
            raise ApiError(422, f"No commit found for SHA: {sha}")
        return sha

    def _page(
        self, request: Request, found: Sequence[Any], shape: Callable[[Sequence[Any]], Any]
    ) -> Response:
        size = min(max(_whole(request, "per_page", PAGE), 1), LARGEST_PAGE)
        page = max(_whole(request, "page", 1), 1)
        last = max((len(found) + size - 1) // size, 1)
        numbers = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        links = []
        for relation, number in numbers.items():
            if 1 <= number <= last and not (relation in ("next", "last") and page >= last):
                if relation == "first" and page == 1:
                    continue
                query = request.url.include_query_params(page=number).query
                target = f"{self._shapes.api}{request.url.path.replace(SLASH, '%2F')}?{query}"
                links.append(f'<{target}>; rel="{relation}"')
        response = JSONResponse(shape(found[(page - 1) * size : page * size]))
        if links:
            response.headers["link"] = ", ".join(links)
        return response


async def body_of(request: Request) -> Json:
    """The JSON object of a request; 400 where it is none."""
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return int(value) if value.isdecimal() else default
