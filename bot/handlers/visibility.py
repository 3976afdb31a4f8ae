"""Which jobs somebody may run, so that a list shows them no others."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.catalog.catalog import Job
from bot.errors import RetryLater
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.permitted import Permitted, PermittedRepositories


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody may run, by name, and the repositories that it is of.

    `unknown` repositories may be theirs as well: GitHub did not say, or was not asked about so many.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    repositories: frozenset[str] = frozenset()
    unknown: int = 0


class Visibility:
    """Asks GitHub once for each repository, never for each job; nothing for somebody whom nobody mapped."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization
        self._permitted = PermittedRepositories(authorization)

    async def of(self, context: RequestContext) -> Sight:
        """What the asker may run now."""
        return self.within(context, await self.permitted(context))

    async def permitted(self, context: RequestContext) -> Permitted:
        """The repositories of which they may; where there are many, among those with the most jobs."""
        if context.login is None:
            return Permitted(frozenset())
        jobs = self._authorization.catalog(context).jobs_by_repository()
        names = sorted(jobs, key=lambda name: (-len(jobs[name]), name))
        try:
            return await self._permitted.of(context, names)
        except RetryLater:
            return Permitted(frozenset(), len(names))

    def within(self, context: RequestContext, permitted: Permitted) -> Sight:
        """What there is now of these repositories."""
        jobs = self._authorization.catalog(context).jobs_by_repository()
        mine = {job.name: job for name in jobs if name in permitted.repositories for job in jobs[name]}
        return Sight(mine, permitted.repositories, permitted.unknown)
