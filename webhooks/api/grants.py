"""What lets others in, for admins: the API's tokens, deploy hooks, and the pinned numbers of repositories.

The text of a token is in one answer and nowhere else.
"""

from collections.abc import Callable
from urllib.parse import quote

import structlog

from bot.errors import ProblemType
from bot.repositories import Repositories
from bot.store import Session, Store, hooks, journal, repository_files, tokens
from bot.store.journal_entries import token_created
from webhooks.access import new_token, token_hash
from webhooks.api import grant_responses, requests
from webhooks.api.hook_changes import HookChanges
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import Problem, missing_job

log = structlog.get_logger()


class GrantHandlers:
    """Whoever gets here is an admin."""

    def __init__(
        self, hook_changes: HookChanges, repositories: Repositories, store: Store, clock: Callable[[], float]
    ) -> None:
        self._hooks = hook_changes
        self._repositories = repositories
        self._store = store
        self._clock = clock

    async def list_tokens(self, request: ApiRequest) -> grant_responses.Tokens:
        """All tokens by name."""
        return grant_responses.Tokens.of(tokens=await self._store.read(tokens.list))

    async def create_token(
        self, request: ApiRequest[requests.TokenRequest]
    ) -> Reply[grant_responses.NewToken]:
        """Makes a token."""
        wish, text, now = request.body, new_token(), self._clock()
        by = request.visitor.caller.name
        hashed, ends = token_hash(text), None if wish.expires is None else now + wish.expires

        def add(session: Session) -> grant_responses.NewToken:
            row = tokens.add(
                session, name=wish.name, hash=hashed, now=now, scopes=wish.scopes, expires_at=ends
            )
            journal.record(session, [token_created(row, by)])
            return grant_responses.NewToken.of(row, token=text)

        try:
            token = await self._store.write(add)
        except ValueError as error:
            raise _taken(error) from None
        log.info("token.created", token=token.name, scopes=token.scopes, by=by)
        return Reply(token, 201, f"/api/tokens/{quote(token.name, safe='')}")

    async def delete_token(self, request: ApiRequest) -> None:
        """Ends a token at once."""
        name, by = request.path["name"], request.visitor.caller.name

        def revoke(session: Session) -> bool:
            return tokens.revoke(session, by=by, name=name, now=self._clock())

        if "\0" in name or not await self._store.write(revoke):
            raise Problem(404, "There is no such token.", kind=ProblemType.NO_SUCH_TOKEN)
        log.info("token.deleted", token=name, by=by)

    async def list_hooks(self, request: ApiRequest) -> grant_responses.Hooks:
        """All deploy hooks."""
        return grant_responses.Hooks.of(hooks=await self._store.read(hooks.list))

    async def create_hook(self, request: ApiRequest[requests.HookRequest]) -> Reply[grant_responses.NewHook]:
        """Makes a deploy hook for a job."""
        job, name, by = request.body.job, request.body.name, request.visitor.caller.name
        try:
            hook = await self._hooks.create(job, name, by=by)
        except LookupError:
            raise missing_job() from None
        except ValueError as error:
            raise _taken(error) from None
        return Reply(hook, 201, f"/api/hooks/{job}/{quote(name, safe='')}")

    async def delete_hook(self, request: ApiRequest) -> None:
        """Ends a hook at once."""
        job, name, by = request.path["name"], request.path["hook"], request.visitor.caller.name
        if not await self._hooks.delete(job, name, by=by):
            raise Problem(404, "There is no such hook.", kind=ProblemType.NO_SUCH_HOOK)

    async def list_repositories(self, request: ApiRequest) -> grant_responses.Repositories:
        """Which number is pinned to which repository."""
        files = await self._store.read(repository_files.rows)
        files_by_number = {row.repository_number: row for row in files}
        shown = [
            grant_responses.Repository.of(
                pin, file=files_by_number.get(pin.number) if "/" in pin.name else None
            )
            for pin in await self._repositories.listing()
        ]
        return grant_responses.Repositories(repositories=shown)

    async def forget_repository(self, request: ApiRequest) -> None:
        """Lets the next repository that comes under a name have it."""
        name = request.path["name"]
        if "\0" in name or not await self._repositories.forget(name, by=request.visitor.caller.name):
            raise Problem(404, "No number is pinned to this name.", kind=ProblemType.NO_SUCH_PIN)


def _taken(error: ValueError) -> Problem:
    return Problem(409, str(error), kind=ProblemType.NAME_TAKEN)
