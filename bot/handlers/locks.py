"""`lock` and `unlock`: people close a target, for a reason and for a time, and open it again.

A target is a lock that jobs name, or a job. Whoever may run one of the jobs that a target concerns may
close it and open it, also what somebody else closed: the answer to who runs into it says who did.
"""

from collections.abc import Callable, Sequence

from bot import messages
from bot.catalog.catalog import Catalog, Job
from bot.commands import parser
from bot.errors import AskerError, Missing, NotAllowed, ProblemType, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.registry import Registry
from bot.store import Session, locks
from bot.tables import Lock
from bot.text.wording import did_you_mean, quoted

REASON_CHARACTERS = 200
"""Of a reason, which is shown on every card that it concerns."""
LONGEST = 366 * 86400.0
"""Seconds: no lock is for longer, unless it is without an end."""


class LockHandler:
    """The two verbs; each gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, registry: Registry, clock: Callable[[], float]) -> None:
        self._authorization = authorization
        self._registry = registry
        self._clock = clock

    async def lock(self, context: RequestContext, command: parser.Lock) -> Callable[[Session], str | None]:
        """Close a target; what has begun goes on."""
        if command.reason is not None and len(command.reason) > REASON_CHARACTERS:
            raise AskerError(f"A reason may have {REASON_CHARACTERS} characters.")
        if command.duration is not None and command.duration > LONGEST:
            sentence = "A lock is for a year at most, or without an end."
            raise Unfit(sentence, [(("duration",), sentence)])
        await self._require(context, command.target, known_only=True)
        word = self._authorization.first_word(context)

        def effect(session: Session) -> str | None:
            now = self._clock()
            until = None if command.duration is None else now + command.duration
            lock = Lock(
                target=command.target,
                reason=command.reason or None,
                actor=context.actor,
                created_at=now,
                until=until,
            )
            other = locks.add(session, lock, now=now)
            if other is not None:
                raise AskerError(messages.locked_already(other, command=word))
            return messages.locked(lock, command=word)

        return effect

    async def unlock(
        self, context: RequestContext, command: parser.Unlock
    ) -> Callable[[Session], str | None]:
        """Open a target; what waited for it goes on at once."""
        await self._require(context, command.target, known_only=False)

        def effect(session: Session) -> str | None:
            now = self._clock()
            locks.expire(session, now=now)
            if not locks.remove(session, command.target, now=now):
                raise Missing(f"{quoted(command.target)} is not locked.", ProblemType.NO_SUCH_LOCK)
            return messages.unlocked(command.target)

        return effect

    async def _require(self, context: RequestContext, target: str, *, known_only: bool) -> None:
        """Raise `AskerError` unless the asker may run a job that `target` concerns.

        `known_only` False: also a target that no job names any more may be opened where it was asked from.
        """
        catalog = self._authorization.catalog(context)
        concerned = catalog.jobs_of_target(target)
        if context.caller is not None and not context.caller.may_run_any(job.name for job in concerned):
            raise NotAllowed(f"{quoted(context.caller.name)} may not lock or unlock {quoted(target)}.")
        if not concerned and known_only:
            names = [*catalog.jobs, *(job.lock for job in catalog.jobs.values() if job.lock)]
            raise Missing(
                f"There is nothing called {quoted(target)} to lock: neither a `lock` of a job nor a job."
                f"{did_you_mean(target, dict.fromkeys(names))}"
            )
        if context.scoped is not None:
            return
        refusals: list[AskerError] = []
        for place in self._places(context, catalog, concerned):
            try:
                await self._authorization.require(context, place)
            except AskerError as refusal:
                refusals.append(refusal)
            else:
                return
        raise next(iter(refusals), AskerError("No repository says who may do that; ask in a pull request."))

    def _places(self, context: RequestContext, catalog: Catalog, concerned: Sequence[Job]) -> list[str]:
        """The repositories of any of which the right is enough, the one asked from first.

        That one counts where a job is of it, or of no repository.
        """
        able = [job for job in concerned if job.image is None or job.image in catalog.images]
        repositories = [catalog.repository_of(job) for job in able]
        places = [self._registry.catalog.spelling(repository) for repository in repositories if repository]
        here = context.repository
        if here is not None and (here in places or None in repositories or not concerned):
            places.insert(0, here)
        return list(dict.fromkeys(places))
