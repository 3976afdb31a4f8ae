"""What callers over HTTP ask besides runs: plans and reasons, and that a schedule is held back or goes on.

They are the chat's commands, for somebody whose scopes have been looked at already.
"""

from bot import commands
from bot.callers import Caller
from bot.errors import Elsewhere, Refused, RetryLater
from bot.pausing import Pausing
from bot.people import Asked, People
from bot.planning import Planning
from bot.starting import Starting
from bot.tools import Tools


class Questions:
    """Each gives the answer in Markdown; raises `AskerError` (`Missing`, `Unfit`, ...) and `RetryLater`."""

    def __init__(self, tools: Tools) -> None:
        people = People(tools)
        self._store = tools.store
        self._planning = Planning(tools, people, Starting(tools, people))
        self._pausing = Pausing(tools, people)

    async def plan(self, caller: Caller, command: commands.Plan) -> str | None:
        """What starting the job with this would do."""
        try:
            effect = await self._planning.plan(_asked(caller), command)
        except (RetryLater, Refused):
            raise Elsewhere("GitHub does not answer, so the commit is not known; try again soon.") from None
        return await self._store.read(effect)

    async def why(self, caller: Caller, job: str) -> str | None:
        """Why the job did or did not run."""
        return await self._store.read(await self._planning.why(_asked(caller), commands.Why(job)))

    async def pause(self, caller: Caller, command: commands.Pause) -> str | None:
        """Hold the job's schedule back."""
        return await self._store.write(await self._pausing.pause(_asked(caller), command))

    async def resume(self, caller: Caller, job: str) -> str | None:
        """Let the job's schedule go on."""
        return await self._store.write(await self._pausing.resume(_asked(caller), commands.Resume(job)))


def _asked(caller: Caller) -> Asked:
    return Asked("", caller.cause, caller.name, None, caller=caller)
