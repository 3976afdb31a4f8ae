"""Code of forks: built and run only after somebody who may write here has said so of that very commit."""

from collections.abc import Callable

from bot import messages
from bot.access import policy
from bot.errors import AskerError, HeadMoved, NotAllowed
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.heads import HeadGuard
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import EntryKind
from bot.store import Session, Store, forks, journal
from bot.tables import ForkCommit, JournalEntry


class ForkGuard:
    """Lets in no other commit of a fork."""

    def __init__(self, registry: Registry, host: CodeHost, store: Store) -> None:
        self._registry = registry
        self._host = host
        self._store = store

    def require_any(self) -> None:
        """Raise `NotAllowed` where code of forks is run by nobody's word: without `forks`, as a process."""
        config = self._registry.config
        verdict = policy.may_build(fork=True, forks=config.forks)
        if not verdict.allowed:
            raise NotAllowed(verdict.sentence, "forks")
        if config.engine.kind == "process":
            raise NotAllowed(messages.fork_of_process(), "forks")

    async def require(self, repository: str, commit: str) -> None:
        """Raise `NotAllowed` unless `commit` is the head of a pull request of which that was said."""
        self.require_any()
        row = await self._store.read(lambda session: forks.of(session, repository, commit))
        if row is None:
            raise NotAllowed(messages.fork_unapproved(commit, self._registry.config.command))
        pull = await self._host.required.pull(repository, row.pull)
        if pull.state != "open" or pull.head_sha != commit:
            raise NotAllowed(messages.fork_moved(pull.number, pull.head_sha, self._registry.config.command))


class ForkHandler:
    """`approve SHA` on a pull request of a fork."""

    def __init__(
        self,
        authorization: Authorization,
        guard: ForkGuard,
        registry: Registry,
        host: CodeHost,
        clock: Callable[[], float],
    ) -> None:
        self._authorization = authorization
        self._guard = guard
        self._registry = registry
        self._heads = HeadGuard(host)
        self._clock = clock

    async def approve(self, context: RequestContext, sha: str) -> Callable[[Session], str]:
        """What notes that the head may be built and run; gives the answer (Markdown).

        Raises `AskerError` for whoever may not write here, outside of a pull request from a fork, and for
        any commit but its head as it was when that was said.
        """
        pull, here = context.pull, context.repository
        if pull is None or here is None:
            raise AskerError(messages.fork_elsewhere(sha))
        repository = self._registry.catalog.spelling(here)
        await self._authorization.require(context, repository)
        self._guard.require_any()
        if not pull.is_fork:
            raise AskerError(messages.fork_of_none(pull.number))
        if pull.state != "open":
            raise AskerError(messages.fork_closed(pull.number))
        if not pull.head_sha.startswith(sha.lower()):
            raise HeadMoved(messages.fork_other_head(sha, pull.head_sha, self._registry.config.command))
        if len(sha) < len(pull.head_sha):  # another commit with the same beginning could have come since
            await self._heads.require_unmoved(context, pull)
        row = ForkCommit(
            repository=repository, commit=pull.head_sha, pull=pull.number, actor=context.actor, at=0.0
        )

        def effect(session: Session) -> str:
            row.at = self._clock()
            if forks.add(session, ForkCommit(**row.model_dump(exclude={"id"}))):
                journal.record(session, [_entry(row, context)])
            return messages.fork_approved(row.commit, row.pull)

        return effect


def _entry(row: ForkCommit, context: RequestContext) -> JournalEntry:
    return JournalEntry(
        at=row.at,
        kind=EntryKind.APPROVED,
        actor=context.actor,
        cause=context.cause,
        subject=f"commit:{row.commit}",
        repository=row.repository,
        rule="github.forks",
        facts={"pull_request": row.pull, "commit": row.commit},
    )
