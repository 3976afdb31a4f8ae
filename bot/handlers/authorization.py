"""Who asks, from where, and whether they may: asks GitHub, decides by `policy`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.access import policy
from bot.access.callers import Caller
from bot.access.people import Membership
from bot.access.scopes import EXEC
from bot.catalog.catalog import Catalog, ownerless
from bot.errors import AskerError, Missing, NotAllowed, ProblemType, Refused
from bot.github import GitHub, PullRequest
from bot.handlers.places import Chat, GitHubPlace, HttpPlace, Place, SlackPlace, TerminalPlace
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import Cause
from bot.tables import OccurrenceSeen, Run

REFUSAL_KEPT = 30.0
"""Seconds for which GitHub's no about a person is remembered; a yes is asked for every time."""
TERMINAL = "errand"
"""The first word of commands on the command line, by which callers over HTTP are spoken to."""
_REFUSALS = 4096
"""How many such answers are remembered."""


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request of a person. `key` is unique to it; a command's own key adds its place in the request.

    `login` is the GitHub account whose rights count, None for somebody in Slack whom nobody mapped. `place`
    is None where nobody waits for an answer: a push, a schedule, an `occurrence`.
    """

    key: str
    cause: Cause
    actor: str
    login: str | None
    place: Place | None = None
    occurrence: OccurrenceSeen | None = None
    """What happened on GitHub and led to it, without anybody's asking."""
    line: str = ""
    """The command as it was typed, where it was."""
    membership: Membership = Membership.MEMBER
    """Why nobody knows the login of somebody in Slack."""
    permissions: dict[str, str] = field(default_factory=dict)
    """What was asked of GitHub for this request: once per repository, however many commands it has."""

    @property
    def repository(self) -> str | None:
        """The repository in which it was asked."""
        return self.place.repository if isinstance(self.place, GitHubPlace | TerminalPlace) else None

    @property
    def pull(self) -> PullRequest | None:
        """The pull request in which it was asked, once GitHub has said what that is."""
        return self.place.pull if isinstance(self.place, GitHubPlace) else None

    @property
    def public(self) -> bool:
        """Whether anyone may read the place."""
        return isinstance(self.place, GitHubPlace) and self.place.public

    @property
    def chat(self) -> Chat | None:
        """The place, where every command is answered in words."""
        return self.place if isinstance(self.place, Chat) else None

    @property
    def caller(self) -> Caller | None:
        """Who asked over HTTP."""
        return self.place.caller if isinstance(self.place, HttpPlace) else None

    @property
    def scoped(self) -> Caller | None:
        """Who asked over HTTP, if what its scopes say is all that counts: for a person GitHub's word does."""
        return None if self.caller is None or self.caller.login is not None else self.caller


class Permissions:
    """What GitHub says of people: one question for all who want to know the same at the same time.

    Who may not can ask as often as they like and costs one question in `REFUSAL_KEPT` seconds. What somebody
    may is never remembered, so a right that was taken away is gone at once.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._questions: dict[tuple[str, str], asyncio.Task[str]] = {}
        self._refused: dict[tuple[str, str], tuple[float, str]] = {}

    async def of(self, github: GitHub, repository: str, login: str) -> str:
        """`none`, `read`, `write` or `admin`; `RetryLater` if GitHub does not say now."""
        key = (repository.casefold(), login.casefold())
        at, level = self._refused.get(key, (None, ""))
        if at is not None and 0.0 <= self._clock() - at < REFUSAL_KEPT:
            return level
        question = self._questions.get(key)
        if question is None:
            question = asyncio.create_task(github.permission(repository, login))
            self._questions[key] = question
            question.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(question)

    def _answered(self, key: tuple[str, str], question: asyncio.Task[str]) -> None:
        del self._questions[key]
        self._refused.pop(key, None)
        if question.cancelled() or question.exception() is not None or policy.may_write(question.result()):
            return
        while len(self._refused) >= _REFUSALS:
            del self._refused[next(iter(self._refused))]
        self._refused[key] = self._clock(), question.result()


class Authorization:
    """Answers whether somebody may."""

    def __init__(
        self, registry: Registry, host: CodeHost, clock: Callable[[], float], nonce: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._host = host
        self._permissions = Permissions(clock)
        self._nonce = nonce

    def of_caller(self, caller: Caller) -> RequestContext:
        """The request of a caller; its key is its own, so nothing but an idempotency key makes two one."""
        key = f"{caller.cause}:{self._nonce()}"
        return RequestContext(key, caller.cause, caller.name, caller.login, HttpPlace(caller))

    def catalog(self, context: RequestContext) -> Catalog:
        """The jobs and images that exist for the asker; the others are not spoken of, nor proposed.

        In a public place those are the place's own, over HTTP those that the caller's scopes show.
        """
        catalog = self._registry.catalog
        if context.caller is not None and (seen := context.caller.sees) is not None:
            return catalog.only(seen, all_images=context.caller.may_run(EXEC))
        if context.public and context.repository is not None:
            return catalog.seen_from(context.repository)
        return catalog

    def first_word(self, context: RequestContext) -> str:
        """What a command begins with where the asker types: answers tell them so what to type next."""
        if isinstance(context.place, SlackPlace) and context.place.mention is not None:
            return context.place.mention
        return self._registry.config.command if context.caller is None else TERMINAL

    def latest_word(self, context: RequestContext) -> str:
        """By which the asker says that all of today's definition counts (Markdown)."""
        return "`--latest`" if context.caller is None else "`latest`"

    async def require(self, context: RequestContext, repository: str) -> None:
        """Raise `NotAllowed` unless the asker may run things of `repository`; `RetryLater` if unknown now."""
        github = self._host.github
        settled = repository in context.permissions or not self._registry.config.allows(repository)
        if github is not None and context.login is not None and not settled:
            try:
                level = await self._permissions.of(github, repository, context.login)
            except Refused as refused:
                raise await self._host.repositories.explained(repository, refused) from None
            context.permissions[repository] = level
        self.check(context, repository)

    async def require_job(self, context: RequestContext, name: str) -> tuple[str, bool]:
        """The repository whose writers may have the runs of job `name`; True: also those of no repository.

        Raises `AskerError` where there is none, or the asker is none of them.
        """
        catalog = self.catalog(context)
        job = catalog.job(name)
        built = catalog.repository_of(job)
        repository = built or context.repository
        if repository is None:
            raise AskerError(f"{ownerless(job.image)} says who may do that; ask in a pull request.")
        await self.require(context, repository)
        return repository, built is None

    def check(self, context: RequestContext, repository: str) -> None:
        """The same from what GitHub has said for this request, where it cannot be asked: no without that."""
        if context.scoped is not None and self._registry.config.allows(repository):
            return
        verdict = policy.may_run(
            login=context.login,
            permission=context.permissions.get(repository),
            repository=repository,
            allowed=self._registry.config.allows(repository),
            membership=context.membership,
        )
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence)
        if context.public and repository != context.repository:
            # What is posted here is read by everybody, and the other repository may be private.
            raise NotAllowed("On a public pull request only jobs of that same repository can be asked for.")

    async def require_run(self, context: RequestContext, run: Run) -> None:
        """Raise `AskerError` unless the asker may have `run`: over HTTP by scopes, else by its repository."""
        if context.scoped is None:
            await self.require(context, owner(context, run))
        self.check_run(context, run)

    def check_run(self, context: RequestContext, run: Run) -> None:
        """The same as far as it is known without the network."""
        if context.caller is not None and not context.caller.may_run(run.job):
            raise Missing(f"There is no run #{run.number}.", ProblemType.NO_SUCH_RUN)
        if context.scoped is None:
            self.check(context, owner(context, run))

    def refused_from(self, context: RequestContext, job: str) -> str | None:
        """The repository to whose people `why` may tell that `context` was not allowed to start `job`.

        None for what was asked in another repository, whose name is not told to those of this one.
        """
        catalog = self._registry.catalog
        definition = catalog.jobs.get(job)
        repository = None if definition is None else catalog.repository_of(definition) or context.repository
        return repository if context.repository in (None, repository) else None


def owner(context: RequestContext, run: Run) -> str:
    """The repository of which the asker must be able to run things to have `run`; `AskerError` if none.

    What a schedule started without an image is of none, so the one that is asked from counts.
    """
    if run.job == EXEC and run.repository is None:  # those who write elsewhere have no say in it
        raise Missing(f"There is no run #{run.number}.", ProblemType.NO_SUCH_RUN)
    repository = run.repository or context.repository
    if repository is None:
        raise AskerError(
            f"#{run.number} is of no repository that says who may do that; ask in a pull request."
        )
    return repository
