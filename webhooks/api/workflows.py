"""Workflows of GitHub Actions as visitors: let in by GitHub's word for who they are, and the rules of jobs.

Such a visitor may start the jobs whose `allow` it fits, and see and cancel the runs that it started. Nothing
else is opened to it, whatever a token with the same scopes may do: the table of routes says which are.
"""

from collections.abc import Callable, Collection

import structlog
from starlette.requests import Request

from bot.access import scopes
from bot.access.repository_pins import Identity
from bot.access.workflows import Workflow
from bot.errors import RetryLater
from bot.github import Oidc, Untrusted
from bot.repositories import Repositories, Stranger
from webhooks.access import Access, Visitor
from webhooks.api.operation import Operation, path_number
from webhooks.api.problems import Problem, away, missing, unauthorized

log = structlog.get_logger()


class Workflows:
    """Makes visitors of GitHub's tokens; `repositories` knows whose a name is.

    `jobs` gives today's jobs that a workflow may start.
    """

    def __init__(
        self, oidc: Oidc, jobs: Callable[[Workflow], Collection[str]], repositories: Repositories
    ) -> None:
        self._oidc = oidc
        self._jobs = jobs
        self._repositories = repositories

    async def visitor(self, token: str) -> Visitor:
        """Who has the token; a `Problem` where it proves nothing, or nothing now."""
        try:
            workflow = await self._oidc.workflow(token)
        except Untrusted as error:
            raise unauthorized(f"This token of GitHub Actions is not accepted: {error}.") from None
        except RetryLater as error:
            keys = "The keys of GitHub Actions cannot be had now"
            raise away(f"{keys}, so nobody can be let in; try again soon.", error.delay) from None
        try:
            workflow = workflow.known_as(await self._repositories.admit(_identity(workflow), door="workflow"))
        except Stranger as stranger:
            log.info("workflow.refused", workflow=workflow.name, why=stranger.note)
            return Visitor("actions", workflow.name, workflow.name)  # to whom no job is open
        names = frozenset(scopes.RUN + name for name in self._jobs(workflow))
        return Visitor("actions", workflow.name, workflow.name, scopes=names, sender=workflow.sender)


def _identity(workflow: Workflow) -> Identity:
    owner = workflow.owner_id
    return Identity(workflow.repository, int(workflow.repository_id), None if owner is None else int(owner))


async def authorize(access: Access, row: Operation, request: Request, visitor: Visitor) -> None:
    """Raises a `Problem` unless a workflow may use this route with this path."""
    if not row.workflows:
        raise Problem(403, "A workflow starts jobs, and sees and cancels the runs that it started; no more.")
    name = request.path_params.get("name")
    if name is not None:
        if not scopes.may_run(visitor.scopes, name):
            # The same words where there is no such job: who may not start it is not told of it.
            raise Problem(403, f"No rule in `allow` of this job lets {visitor.name} start it.")
        return
    number = path_number(request)
    job, actor = await access.start_of(number)
    if actor != visitor.name or not scopes.may_run(visitor.scopes, job):
        raise missing("runs", number)
