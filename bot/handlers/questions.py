"""What callers over HTTP ask besides runs: plans, reasons, schedules, locks and builds.

They are the chat's commands, for somebody whose scopes have been looked at already.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot import messages
from bot.access.callers import Caller
from bot.catalog.freezes import Standing
from bot.commands import parser
from bot.errors import Elsewhere, Refused, RetryLater
from bot.handlers.actions import Actions
from bot.handlers.approvals import Answer
from bot.handlers.authorization import RequestContext
from bot.handlers.backfills import Backfill
from bot.handlers.builds import BuildOrder
from bot.store import Session, Store, locks
from bot.tables import Lock

T = TypeVar("T")


class QueryHandler:
    """Most give the answer in Markdown; raises `AskerError` (`Missing`, `Unfit`, ...) and `RetryLater`."""

    def __init__(self, actions: Actions, store: Store, clock: Callable[[], float]) -> None:
        self._actions = actions
        self._store = store
        self._clock = clock

    async def plan(self, caller: Caller, command: parser.Plan) -> str | None:
        """What starting the job with this would do."""
        return await self._store.read(
            await _asking_github(self._actions.plans.plan(self._context(caller), command))
        )

    async def why(self, caller: Caller, job: str) -> str | None:
        """Why the job did or did not run."""
        return await self._store.read(await self._actions.reasons.why(self._context(caller), parser.Why(job)))

    def help(self, caller: Caller, job: str, page: int) -> str:
        """What the job does and takes."""
        context, authorization = self._context(caller), self._actions.authorization
        return messages.job_help(
            authorization.catalog(context).job(job), authorization.first_word(context), page
        )

    async def pause(self, caller: Caller, command: parser.Pause | parser.PauseAll) -> str | None:
        """Hold the job's schedules back, or all."""
        pauses, context = self._actions.pauses, self._context(caller)
        if isinstance(command, parser.PauseAll):
            return await self._store.write(await pauses.pause_all(context, command))
        return await self._store.write(await pauses.pause(context, command))

    async def resume(self, caller: Caller, command: parser.Resume | parser.ResumeAll) -> str | None:
        """Let the job's schedules go on, or all."""
        pauses, context = self._actions.pauses, self._context(caller)
        if isinstance(command, parser.ResumeAll):
            return await self._store.write(await pauses.resume_all(context, command))
        return await self._store.write(await pauses.resume(context, command))

    async def skip(self, caller: Caller, command: parser.Skip) -> str | None:
        """Leave out the next time of the job's schedules."""
        return await self._store.write(await self._actions.pauses.skip(self._context(caller), command))

    async def approve(self, caller: Caller, number: int) -> Answer:
        """Say yes to a run."""
        approving = self._actions.approvals.approve(self._context(caller), number)
        return await self._store.write(await _asking_github(approving, _YES))

    async def deny(self, caller: Caller, number: int, why: str | None) -> Answer:
        """Say no to a run."""
        denying = self._actions.approvals.deny(self._context(caller), number, why)
        return await self._store.write(await _asking_github(denying, _YES))

    async def backfill(self, caller: Caller, command: parser.Backfill) -> Backfill:
        """Run the job for due moments that have passed; gives what was stored, with the answer."""
        return await self._store.write(
            await _asking_github(self._actions.backfills.backfill(self._context(caller), command))
        )

    async def lock(self, caller: Caller, command: parser.Lock) -> tuple[Lock, str]:
        """Close a target; gives the lock and the answer."""
        effect = await self._actions.locks.lock(self._context(caller), command)

        def write(session: Session) -> tuple[Lock, str]:
            text = effect(session) or ""
            lock = locks.get(session, command.target, now=self._clock())
            if lock is None:
                raise LookupError(f"{command.target} was just locked")
            return lock, text

        return await self._store.write(write)

    async def unlock(self, caller: Caller, target: str) -> str | None:
        """Open a target."""
        return await self._store.write(
            await self._actions.locks.unlock(self._context(caller), parser.Unlock(target))
        )

    async def freeze(self, caller: Caller, command: parser.Freeze) -> tuple[Standing, str]:
        """Keep things from starting; gives the freeze and the answer."""
        return await self._store.write(await self._actions.freezes.freeze(self._context(caller), command))

    async def thaw(self, caller: Caller, command: parser.Thaw) -> str:
        """Let them start again."""
        return await self._store.write(await self._actions.freezes.thaw(self._context(caller), command))

    async def build(self, caller: Caller, command: parser.Build) -> BuildOrder:
        """Build an image, unless it is built from that commit."""
        return await self._store.write(
            await _asking_github(self._actions.builds.build(self._context(caller), command))
        )

    def _context(self, caller: Caller) -> RequestContext:
        return self._actions.authorization.of_caller(caller)


_COMMIT = "GitHub does not answer, so the commit is not known; try again soon."
_YES = "GitHub does not answer, so it is not known whether you may say it; try again soon."


async def _asking_github(answer: Awaitable[T], sentence: str = _COMMIT) -> T:
    """What `answer` gives; `Elsewhere` with `sentence` where GitHub cannot be asked."""
    try:
        return await answer
    except (RetryLater, Refused):
        raise Elsewhere(sentence) from None
