"""Repositories by their numbers: admins list the pinned names, and let the next one of a name in."""

from bot.errors import ProblemType
from bot.repositories import Repositories
from webhooks.api import responses
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem


class RepositoryHandlers:
    """Whoever gets here is an admin."""

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    async def list_repositories(self, request: ApiRequest) -> responses.Repositories:
        """Which number is pinned to which repository."""
        return responses.Repositories.of(repositories=await self._repositories.listing())

    async def forget_repository(self, request: ApiRequest) -> None:
        """Lets the next repository that comes under a name have it."""
        name = request.path["name"]
        if "\0" in name or not await self._repositories.forget(name, by=request.visitor.caller.name):
            raise Problem(404, "No number is pinned to this name.", kind=ProblemType.NO_SUCH_PIN)
