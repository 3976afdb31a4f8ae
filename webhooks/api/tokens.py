"""The API's tokens: admins make, list and end them. The text of one is in one answer and nowhere else."""

from collections.abc import Callable
from urllib.parse import quote

import structlog

from bot.errors import ProblemType
from bot.store import Session, Store, tokens
from webhooks.access import new_token, token_hash
from webhooks.api import requests, responses
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import Problem

log = structlog.get_logger()


class TokenHandlers:
    """Whoever gets here is an admin."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def list_tokens(self, request: ApiRequest) -> responses.Tokens:
        """All tokens by name."""
        return responses.Tokens.of(tokens=await self._store.read(tokens.list))

    async def create_token(self, request: ApiRequest[requests.TokenRequest]) -> Reply[responses.NewToken]:
        """Makes a token."""
        wish, text, now = request.body, new_token(), self._clock()
        hashed, ends = token_hash(text), None if wish.expires is None else now + wish.expires

        def add(session: Session) -> responses.NewToken:
            row = tokens.add(
                session, name=wish.name, hash=hashed, now=now, scopes=wish.scopes, expires_at=ends
            )
            return responses.NewToken.of(row, token=text)

        try:
            token = await self._store.write(add)
        except ValueError as error:
            raise Problem(409, str(error), kind=ProblemType.NAME_TAKEN) from None
        log.info("token.created", token=token.name, scopes=token.scopes, by=request.visitor.caller.name)
        return Reply(token, 201, f"/api/tokens/{quote(token.name, safe='')}")

    async def delete_token(self, request: ApiRequest) -> None:
        """Ends a token at once."""
        name = request.path["name"]
        if "\0" in name or not await self._store.write(lambda s: tokens.remove(s, name=name)):
            raise Problem(404, "There is no such token.", kind=ProblemType.NO_SUCH_TOKEN)
        log.info("token.deleted", token=name, by=request.visitor.caller.name)
