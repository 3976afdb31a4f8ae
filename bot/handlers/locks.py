"""`lock` and `unlock`: people close a target, for a reason and for a time, and open it again.

A target is a lock that jobs name, a job, or everything. Whoever may run one of the jobs that a target
concerns may close it and open it, also what somebody else closed: the answer to who runs into it says who
did. For everything, and for what no job names any more, see `bot.handlers.everything`; who closed such a one
may open it all the same.
"""

from collections.abc import Callable
from typing import Any

from bot import messages
from bot.access import people
from bot.commands import parser
from bot.errors import AskerError, Missing, NotAllowed, ProblemType, Unfit
from bot.events import Occurrence
from bot.handlers import everything
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.decisions import Decision, ignored
from bot.handlers.journal import entry
from bot.handlers.places import GitHubPlace
from bot.states import EVERYTHING, EntryKind
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
        await self._require_to_close(context, command.target)
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
                person=None if command.everyone else people.identity(context.actor),
                repository=None if pull is None else pull.repository.casefold(),
                pull_request=None if pull is None else pull.number,
            )
            other = locks.add(session, lock, now=now)
            if other is not None:
                raise AskerError(messages.locked_already(other, command=word))
            _record(session, context, EntryKind.LOCKED, lock.target, now, reason=lock.reason, until=until)
            return messages.locked(lock, command=word)

        return effect

    async def unlock(
        self, context: RequestContext, command: parser.Unlock
    ) -> Callable[[Session], str | None]:
        """Open a target; what waited for it goes on at once."""
        refused = await self._refusal_to_open(context, command.target)

        def effect(session: Session) -> str | None:
            now = self._clock()
            locks.expire(session, now=now)
            lock = locks.get(session, command.target, now=now)
            if refused is not None and (lock is None or not people.is_same(lock.actor, context.actor)):
                raise refused
            if not locks.remove(session, command.target, now=now):
                raise _not_locked(command.target)
            _record(session, context, EntryKind.UNLOCKED, command.target, now)
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

    async def _require_to_close(self, context: RequestContext, target: str) -> None:
        """Raise `AskerError` unless the asker may close `target`."""
        if target == EVERYTHING:
            refused = await everything.refusal(self._authorization, context, "locking everything")
            if refused is not None:
                raise refused
        elif not await self._is_concerned(context, target):
            catalog = self._authorization.catalog(context)
            names = [*catalog.jobs, *(lock for job in catalog.jobs.values() for lock in job.locks)]
            raise Missing(
                f"There is nothing called {quoted(target)} to lock: neither a `lock` of a job nor a job."
                f"{did_you_mean(target, dict.fromkeys(names))}"
            )

    async def _refusal_to_open(self, context: RequestContext, target: str) -> NotAllowed | None:
        """Why they may open `target` only where they closed it; raises `AskerError` where not even then."""
        authorization, what = self._authorization, "unlocking everything"
        if target != EVERYTHING:
            if await self._is_concerned(context, target):
                return None
            if authorization.all_jobs.jobs_of_target(target):
                raise _not_locked(target)  # for all that they may know
            if context.scoped is not None and context.scoped.may_run_any(()):
                return None
            what = f"unlocking {quoted(target)}, which no job names,"
        refused = await everything.refusal(authorization, context, what)
        if refused is not None:
            await self._is_concerned(context, EVERYTHING)
        return refused

    async def _is_concerned(self, context: RequestContext, target: str) -> bool:
        """Raise `AskerError` unless the asker may run a job that `target` concerns; False where none is."""
        caller, concerned = context.caller, self._authorization.catalog(context).jobs_of_target(target)
        if caller is not None and not caller.may_run_any(job.name for job in concerned):
            raise NotAllowed(f"{quoted(caller.name)} may not lock or unlock {quoted(target)}.", "scopes")
        refusal: AskerError | None = None
        for job in concerned:
            if caller is not None and not caller.may_run(job.name):
                continue
            try:
                await self._authorization.admit(context, job)
            except AskerError as error:
                refusal = refusal or error
            else:
                return True
        if refusal is not None:
            raise refusal
        return False


def _record(
    session: Session, context: RequestContext, kind: EntryKind, target: str, now: float, **facts: Any
) -> None:
    record = entry(context, kind, f"lock:{target}", now, **facts)
    record.rule = (everything.rule(context) if target == EVERYTHING else None) or record.rule
    journal.record(session, [record])


def _not_locked(target: str) -> Missing:
    return Missing(f"{messages.target(target)} is not locked.", ProblemType.NO_SUCH_LOCK)
