"""What callers over HTTP ask besides runs: plans, reasons, schedules, locks, builds, and which run to stop.

They are the chat's commands, for somebody whose scopes have been looked at already.
"""

from collections.abc import Awaitable
from typing import TypeVar

from bot import messages
from bot.access.callers import Caller
from bot.commands import parser
from bot.context import Context
from bot.errors import AskerError, Elsewhere, Refused, RetryLater
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.builds import BuildHandler, BuildOrder
from bot.handlers.cancellation import Cancellation
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.locks import LockHandler
from bot.handlers.pauses import PauseHandler
from bot.handlers.plans import Planner
from bot.store import Session, locks
from bot.tables import Lock, Run

T = TypeVar("T")


class QueryHandler:
    """Most give the answer in Markdown; raises `AskerError` (`Missing`, `Unfit`, ...) and `RetryLater`."""

    def __init__(self, tools: Context) -> None:
        people = Authorization(tools)
        starting = Enqueuer(tools, people)
        self._tools = tools
        self._authorization = people
        self._store = tools.store
        self._planning = Planner(tools, people, starting)
        self._pausing = PauseHandler(tools, people)
        self._locking = LockHandler(tools, people)
        self._building = BuildHandler(tools, people, starting)
        self._stopping = Cancellation(tools, people, _nobody)

    async def plan(self, caller: Caller, command: parser.Plan) -> str | None:
        """What starting the job with this would do."""
        return await self._store.read(await _asking_github(self._planning.plan(_asked(caller), command)))

    async def why(self, caller: Caller, job: str) -> str | None:
        """Why the job did or did not run."""
        return await self._store.read(await self._planning.why(_asked(caller), parser.Why(job)))

    def help(self, caller: Caller, job: str, page: int) -> str:
        """What the job does and takes."""
        asked = _asked(caller)
        return messages.job_help(
            self._authorization.catalog(asked).job(job), self._authorization.first_word(asked), page
        )

    async def pause(self, caller: Caller, command: parser.Pause) -> str | None:
        """Hold the job's schedule back."""
        return await self._store.write(await self._pausing.pause(_asked(caller), command))

    async def resume(self, caller: Caller, job: str) -> str | None:
        """Let the job's schedule go on."""
        return await self._store.write(await self._pausing.resume(_asked(caller), parser.Resume(job)))

    async def skip(self, caller: Caller, job: str) -> str | None:
        """Leave out the next time of the job's schedule."""
        return await self._store.write(await self._pausing.skip(_asked(caller), parser.Skip(job)))

    async def lock(self, caller: Caller, command: parser.Lock) -> tuple[Lock, str]:
        """Close a target; gives the lock and the answer."""
        effect = await self._locking.lock(_asked(caller), command)

        def write(session: Session) -> tuple[Lock, str]:
            text = effect(session) or ""
            lock = locks.get(session, command.target, now=self._tools.clock())
            if lock is None:
                raise LookupError(f"{command.target} was just locked")
            return lock, text

        return await self._store.write(write)

    async def unlock(self, caller: Caller, target: str) -> str | None:
        """Open a target."""
        return await self._store.write(await self._locking.unlock(_asked(caller), parser.Unlock(target)))

    async def build(self, caller: Caller, command: parser.Build) -> BuildOrder:
        """Build an image, unless it is built from that commit."""
        return await self._store.write(await _asking_github(self._building.build(_asked(caller), command)))

    async def cancel(self, caller: Caller, job: str | None) -> Run:
        """Stop the run under way that is meant: of this job, or (None) one that the caller started."""
        stop = await self._stopping.cancel(_asked(caller), parser.Cancel(name=job))
        return (await self._store.write(stop)).run


async def _asking_github(answer: Awaitable[T]) -> T:
    """What `answer` gives; `Elsewhere` where GitHub cannot be asked."""
    try:
        return await answer
    except (RetryLater, Refused):
        raise Elsewhere("GitHub does not answer, so the commit is not known; try again soon.") from None


def _nobody(asked: RequestContext, run: Run) -> str:
    """Of callers the scopes count and no repository."""
    raise AskerError(f"There is no run #{run.number}.")


def _asked(caller: Caller) -> RequestContext:
    return RequestContext("", caller.cause, caller.name, None, caller=caller)
