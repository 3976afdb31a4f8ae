"""Who asks, from where, and whether they may: asks GitHub, decides by `policy`."""

from collections import OrderedDict
from dataclasses import dataclass, field

from bot import policy
from bot.callers import Caller
from bot.catalog import Catalog
from bot.errors import NotAllowed
from bot.github import GitHub, PullRequest
from bot.tools import Tools

REFUSAL_KEPT = 30.0
"""Seconds for which GitHub is not asked again about somebody who may not."""
_REFUSALS = 1000
"""Refusals that are remembered; the oldest goes first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a person. `key` is unique to it; a command's own key adds its place in the request.

    On GitHub `repository`, `pull` and `number` tell where it was asked, in Slack `channel` (an id) and
    `channel_name` (with its `#`) do.
    `login` is the GitHub account whose rights count, None for somebody in Slack whom nobody mapped.
    `public`: anyone may read the place.
    """

    key: str
    cause: str
    actor: str
    login: str | None
    repository: str | None = None
    number: int | None = None
    pull: PullRequest | None = None
    channel: str | None = None
    channel_name: str | None = None
    response_url: str | None = None
    """Of Slack: reaches the asker for half an hour, also where Errand is in no channel with them."""
    public: bool = False
    caller: Caller | None = None
    """Who asked over HTTP. Its scopes say what it may do, and have been asked: no account's rights count."""
    permissions: dict[str, str] = field(default_factory=dict)
    """What was asked of GitHub for this request: once per repository, however many commands it has."""


class People:
    """Answers whether somebody may; GitHub is asked afresh for every request of somebody who may."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._refusals: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()

    def catalog(self, asked: Asked) -> Catalog:
        """The jobs and images that exist for the asker: in a public place the others are not spoken of."""
        catalog = self._tools.book.catalog
        if asked.public and asked.repository is not None:
            return catalog.seen_from(asked.repository)
        return catalog

    async def require(self, asked: Asked, repository: str) -> None:
        """Raise `NotAllowed` unless the asker may run things of `repository`; `RetryLater` if unknown now."""
        tools = self._tools
        known = repository in asked.permissions or not tools.config.allows(repository)
        if tools.github is not None and asked.login is not None and not known:
            asked.permissions[repository] = await self._permission(tools.github, repository, asked.login)
        self.check(asked, repository)

    async def _permission(self, github: GitHub, repository: str, login: str) -> str:
        """What GitHub says of `login`, or said a moment ago where that was not enough to run anything."""
        key, now = (repository.casefold(), login.casefold()), self._tools.clock()
        until, permission = self._refusals.get(key, (0.0, ""))
        if now < until:
            return permission
        permission = await github.permission(repository, login)
        if policy.may_run(login=login, permission=permission, repository=repository, allowed=True).allowed:
            self._refusals.pop(key, None)
            return permission
        self._refusals[key] = (now + REFUSAL_KEPT, permission)
        self._refusals.move_to_end(key)
        if len(self._refusals) > _REFUSALS:
            self._refusals.popitem(last=False)
        return permission

    def check(self, asked: Asked, repository: str) -> None:
        """The same from what GitHub has said for this request, where it cannot be asked: no without that."""
        if asked.caller is not None and self._tools.config.allows(repository):
            return
        verdict = policy.may_run(
            login=asked.login,
            permission=asked.permissions.get(repository),
            repository=repository,
            allowed=self._tools.config.allows(repository),
        )
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence)
        if asked.public and repository != asked.repository:
            # What is posted here is read by everybody, and the other repository may be private.
            raise NotAllowed("On a public pull request only jobs of that same repository can be asked for.")

    def refusal(self, asked: Asked, job: str, sentence: str) -> str | None:
        """The line of a delivery's note by which `why` knows that `asked` was not allowed to start `job`.

        None for what was asked in another repository, whose name is not told to those of this one.
        """
        catalog = self._tools.book.catalog
        known = catalog.jobs.get(job)
        repository = None if known is None else catalog.repository_of(known) or asked.repository
        if repository is None or asked.repository not in (None, repository):
            return None
        return f"{refused(job, repository)}{asked.actor}: {sentence}"


def refused(job: str, repository: str) -> str:
    """How a line begins that tells of somebody who was not allowed to start `job`."""
    return f"job {job} of {repository}: refused "
