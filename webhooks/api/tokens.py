"""The API's tokens: admins make, list and end them. The text of one is in one answer and nowhere else."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.errors import ProblemType
from bot.store import Session, Store, tokens
from bot.tables import Token
from webhooks.access import Access, Visitor, new_token, token_hash
from webhooks.api import requests, responses
from webhooks.api.answers import json_answer
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem
from webhooks.api.reading import body
from webhooks.view import moment, rfc3339

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What this part is made of. `url` is the installation's public address."""

    store: Store
    access: Access
    clock: Callable[[], float]
    url: str


def routes(made: Tokens) -> list[Route]:
    """What to mount; a name made on the command line may have a slash."""
    rooms, access = _TokenHandlers(made), made.access
    return [
        guarded(access, "/api/tokens", rooms.list_tokens),
        guarded(access, "/api/tokens", rooms.create, method="POST"),
        guarded(access, "/api/tokens/{name:path}", rooms.delete, method="DELETE"),
    ]


class _TokenHandlers:
    """The handlers; whoever gets here is an admin."""

    def __init__(self, made: Tokens) -> None:
        self._made = made

    async def list_tokens(self, request: Request, visitor: Visitor) -> Response:
        """All tokens by name, with when each was last used."""
        rows = await self._made.store.read(tokens.list)
        return json_answer({"tokens": [_told(row) for row in rows]})

    async def create(self, request: Request, visitor: Visitor) -> Response:
        """A new token, with its text."""
        asked = await body(request, requests.TokenRequest)
        text, now = new_token(), self._made.clock()
        hashed = token_hash(text)

        def add(session: Session) -> responses.Token:
            ends = None if asked.expires is None else now + asked.expires
            row = tokens.add(
                session, name=asked.name, hash=hashed, now=now, scopes=asked.scopes, expires_at=ends
            )
            return _told(row)

        try:
            told = await self._made.store.write(add)
        except ValueError as taken:
            raise Problem(409, str(taken), kind=ProblemType.NAME_TAKEN) from None
        log.info("token.created", token=asked.name, scopes=told["scopes"], by=visitor.caller.name)
        address = f"{self._made.url.rstrip('/')}/api/tokens/{quote(asked.name, safe='')}"
        shown: responses.NewToken = {**told, "token": text}
        return json_answer(shown, 201, {"Location": address})

    async def delete(self, request: Request, visitor: Visitor) -> Response:
        """End a token, and the logins made from it."""
        name = request.path_params["name"]
        if "\0" in name or not await self._made.store.write(lambda s: tokens.remove(s, name=name)):
            raise Problem(404, "There is no such token.", kind=ProblemType.NO_SUCH_TOKEN)
        log.info("token.deleted", token=name, by=visitor.caller.name)
        return Response(status_code=204)


def _told(row: Token) -> responses.Token:
    return {
        "name": row.name,
        "scopes": list(row.scopes),
        "created_at": rfc3339(row.created_at),
        "expires_at": moment(row.expires_at),
        "last_used_at": moment(row.last_used_at),
    }
