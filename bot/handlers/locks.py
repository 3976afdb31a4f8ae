"""`lock` and `unlock`: people close a target, for a reason and for a time, and open it again.

A target is a lock that jobs name, or a job. Whoever may run one of the jobs that a target concerns may
close it and open it, also what somebody else closed: the answer to who runs into it says who did.
"""

from collections.abc import Callable

from bot import messages
from bot.access import people
from bot.commands import parser
from bot.errors import AskerError, Missing, NotAllowed, ProblemType, Unfit
from bot.events import Occurrence
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.decisions import Decision, ignored
from bot.handlers.journal import entry
from bot.handlers.places import GitHubPlace
from bot.states import EntryKind
from bot.store import Session, journal, locks
from bot.tables import Lock
from bot.text.wording import did_you_mean, quoted

REASON_CHARACTERS = 200
"""Of a reason, which is shown on every card that it concerns."""
LONGEST = 366 * 86400.0
"""Seconds: no lock is for longer, unless it is without an end."""


class LockHandler:
    """The two verbs; each gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, clock: Callable[[], float]) -> None:
        self._authorization = authorization
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
        pull = context.place if command.merged and isinstance(context.place, GitHubPlace) else None
        if command.merged and (pull is None or pull.number is None):
            raise AskerError("`until merged` is said in the pull request that is meant.")

        def effect(session: Session) -> str | None:
            now = self._clock()
            until = None if command.duration is None else now + command.duration
            lock = Lock(
                target=command.target,
                reason=command.reason or None,
                actor=context.actor,
                created_at=now,
                until=until,
                person=people.identity(context.actor) if command.mine else None,
                repository=None if pull is None else pull.repository.casefold(),
                pull_request=None if pull is None else pull.number,
            )
            other = locks.add(session, lock, now=now)
            if other is not None:
                raise AskerError(messages.locked_already(other, command=word))
            told = entry(
                context, EntryKind.LOCKED, f"lock:{lock.target}", now, reason=lock.reason, until=until
            )
            journal.record(session, [told])
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
                name = messages.target(command.target)
                raise Missing(f"{name} is not locked.", ProblemType.NO_SUCH_LOCK)
            journal.record(session, [entry(context, EntryKind.UNLOCKED, f"lock:{command.target}", now)])
            return messages.unlocked(command.target)

        return effect

    def merged(self, happened: Occurrence) -> Decision:
        """What was closed until this pull request is merged is open once it is, or was closed without."""
        if happened.pull is None or happened.facts.get("action") != "closed":
            return ignored(f"{happened.subject}: no lock ends with it")
        number, gone = happened.pull, list[str]()

        def effect(session: Session) -> None:
            gone[:] = locks.end_with_pull(session, happened.repository, number, now=self._clock())

        def note() -> str:
            return f"{happened.subject}: opens {', '.join(gone) or 'no lock'}"

        return Decision(False, effect, note)

    async def _require(self, context: RequestContext, target: str, *, known_only: bool) -> None:
        """Raise `AskerError` unless the asker may run a job that `target` concerns.

        `known_only` False: also a target that no job names any more may be opened where it was asked from.
        """
        catalog = self._authorization.catalog(context)
        concerned = catalog.jobs_of_target(target)
        if context.caller is not None and not context.caller.may_run_any(job.name for job in concerned):
            raise NotAllowed(
                f"{quoted(context.caller.name)} may not lock or unlock {quoted(target)}.", "scopes"
            )
        if not concerned and known_only:
            names = [*catalog.jobs, *(lock for job in catalog.jobs.values() for lock in job.locks)]
            raise Missing(
                f"There is nothing called {quoted(target)} to lock: neither a `lock` of a job nor a job."
                f"{did_you_mean(target, dict.fromkeys(names))}"
            )
        if context.caller is not None:
            concerned = [job for job in concerned if context.caller.may_run(job.name)]
        refusals: list[AskerError] = []
        for job in concerned:
            try:
                await self._authorization.admit(context, job)
            except AskerError as refusal:
                refusals.append(refusal)
            else:
                return
        if not concerned and context.scoped is not None:
            return  # who may run every job
        if not concerned and context.repository is not None:
            await self._authorization.require(context, context.repository)
            return
        raise next(iter(refusals), AskerError("No repository says who may do that; ask in a pull request."))
