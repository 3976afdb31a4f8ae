"""What carrying a claimed build and carrying a claimed run share, from where a row stands to its end.

Every move is stored before it is told. A worker may be killed anywhere: the engine attaches when the
same row is carried again, and a move that was stored already is simply not made twice.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Generic, TypeVar

import structlog

from bot.errors import DatabaseAway, RetryLater
from bot.states import State
from bot.store import Session
from bot.store.holder import LeaseHolder
from bot.tables import Build, Run
from bot.workers.engine_access import EngineAccess
from executor.errors import EngineUnavailable
from executor.spec import Headway, Outcome, Pending, Progress, Result, Started

log = structlog.get_logger()

TAIL_LINES = 20
"""Lines of the log that are told when something failed."""
FAILURES = 3
"""How often Errand itself may fail over a build or a run before that ends as an error."""
SETTLED = 60.0
"""Seconds after which whatever was away has been back in between, so that it is told again."""
AGAIN = 1.0
"""Seconds before a build or run is carried on when the database was away or Errand failed."""
WENT_WRONG = "Errand failed over this; the cause is in its own log."
LONGEST_WAIT = 60.0
"""Seconds between two tries, at most."""

Row = TypeVar("Row", Build, Run)


@dataclass(frozen=True, slots=True)
class Rows(Generic[Row]):
    """What the store does with the rows of one kind; see `bot.store.runs` and `bot.store.builds`."""

    get: Callable[[Session, int], Row | None]
    move: Callable[..., Row | None]


class Worker(ABC, Generic[Row]):
    """Carries the rows of one kind that this bot claimed."""

    def __init__(self, holder: LeaseHolder, access: EngineAccess, rows: Rows[Row]) -> None:
        self._holder = holder
        self._access = access
        self._rows: Rows[Row] = rows
        self._stopping: set[str] = set()

    # What is different of each kind -----------------------------------------------------------------

    @abstractmethod
    async def _work(self, row: Row) -> None:
        """Carry a row that has not ended to its end, or to where another attempt begins."""

    @abstractmethod
    def _key(self, row: Row) -> str:
        """What the engine and the logs call it."""

    async def _begun(self, row: Row, started: Started) -> None:
        """The engine says that it has begun."""

    async def _wait(self, row: Row, reason: str) -> None:
        """The engine says what it waits for, or does not answer."""

    async def _advance(self, row: Row, headway: Headway) -> None:
        """The job says how far it is."""

    async def _stop(self, row: Row) -> None:
        """Have the engine stop it, read anew: another attempt may have begun than was claimed."""
        now = await self._reload(row)
        if now is not None:
            await self._access.engine.stop(self._key(now))

    # What is the same -------------------------------------------------------------------------------

    async def stop(self, row: Row) -> None:
        """Somebody asked to stop what this bot carries: said to the engine once, again where that failed."""
        if row.name in self._stopping:
            return
        self._stopping.add(row.name)
        try:
            await self._stop(row)
        except BaseException:
            self._stopping.discard(row.name)
            raise

    async def carry(self, row: Row) -> None:
        """Carry to the end, however often the database or the engine does not answer meanwhile.

        The job goes on then, only the notes of it wait. Where Errand itself fails again and again, that
        is the end: an error that people are told, instead of the same failure for ever.
        """
        failures, logged = 0, ""
        current: Row | None = row
        try:
            while current is not None:
                since = monotonic()
                try:
                    if failures < FAILURES:
                        await self._carry(current)
                    else:
                        await self._abandon(current, "InternalError", WENT_WRONG)
                    return
                except RetryLater as error:
                    logged = _log_once("carry.waits", row.name, error, logged)
                    delay = error.delay or AGAIN
                except EngineUnavailable as error:
                    logged = _log_once("engine.unavailable", row.name, error, logged)
                    with suppress(RetryLater):
                        await self._wait(current, f"The engine does not answer: {error}")
                    delay = error.delay
                except Exception:
                    failures += 1
                    log.exception("carry.failed", name=row.name, failures=failures)
                    delay = AGAIN * 2 ** (failures - 1)
                logged = logged if monotonic() - since < SETTLED else ""
                current = await self._current(row, delay)
        finally:
            self._stopping.discard(row.name)

    async def _carry(self, row: Row) -> None:
        if row.state == State.FINISHED:
            return
        if row.stop_by:
            self._stopping.add(row.name)
        await self._work(row)

    async def _current(self, row: Row, delay: float) -> Row | None:
        """The row after `delay` seconds, or once it can be read.

        Never as it was before: a run may have got to its next attempt since, and the engine have forgotten
        the one before, which it would start anew.
        """
        while True:
            await asyncio.sleep(min(delay, LONGEST_WAIT))
            try:
                return await self._reload(row)
            except RetryLater as error:
                _log_once("carry.waits", row.name, error, "")
                delay = error.delay or AGAIN

    async def _reload(self, row: Row) -> Row | None:
        """The row as it is now; None once it is another bot's, or finished."""
        number = row.identity
        now = await self._holder.store.read(lambda s: self._rows.get(s, number))
        return now if now is not None and now.lease_owner == self._holder.owner else None

    async def _follow(self, row: Row, story: AsyncIterator[Progress]) -> Outcome:
        """Store what the engine says until the end; gives that."""
        async for progress in story:
            match progress:
                case Outcome():
                    return progress
                case Pending():
                    await self._wait(row, progress.reason)
                case Started():
                    await self._begun(row, progress)
                case Headway():
                    await self._advance(row, progress)
            # Asked for before the engine knew of it: the request would have gone nowhere, so it is repeated.
            if row.name in self._stopping:
                await self._access.engine.stop(self._key(row))
        raise RuntimeError("the engine fell silent without an outcome")

    # Ends -----------------------------------------------------------------------------------------

    async def _abandon(self, row: Row, reason: str, message: str) -> None:
        """The end where Errand cannot go on; what the engine may have begun in an earlier life is to stop."""
        try:
            await self._access.engine.stop(self._key(row))
        except EngineUnavailable as error:
            log.warning("stop.failed", name=row.name, error=str(error))
        except Exception:
            log.exception("stop.failed", name=row.name)
        await self._end(row, Outcome(Result.ERROR, reason=reason, message=message))

    async def _end(self, row: Row, outcome: Outcome) -> None:
        """An end that the engine knows nothing of: no writer will ever say that the log is complete."""
        if await self._finish(row, outcome):
            await self._access.logs.finish(self._key(row))

    async def _finish(self, row: Row, outcome: Outcome) -> bool:
        """Store the end; False where another bot carries it, which would start anew what is forgotten."""
        if not await self._move(row, State.FINISHED, **await self._facts(row, outcome)):
            return False
        await self._forget(row)
        return True

    async def _facts(self, row: Row, outcome: Outcome) -> dict[str, Any]:
        """What is stored of an end."""
        tail: list[str] = []
        if outcome.result is not Result.SUCCEEDED:
            tail = await self._access.logs.tail(self._key(row), TAIL_LINES)
        facts: dict[str, Any] = {
            "result": outcome.result,
            "reason": outcome.reason,
            "message": outcome.message,
            "exit_code": outcome.exit_code,
            "finished_at": outcome.finished_at or self._holder.clock(),
            "tail": tail,
        }
        if outcome.started_at is not None:
            facts["started_at"] = outcome.started_at
        return facts

    async def _forget(self, row: Row) -> None:
        """Let the engine forget what has ended and is stored."""
        key = self._key(row)
        try:
            await self._access.engine.remove(key)
        except (EngineUnavailable, OSError) as error:
            self._access.leftovers.add(key)
            log.warning("remove.failed", name=key, error=str(error))

    async def _move(self, row: Row, to: State, **facts: Any) -> bool:
        """Store the move; False when it is not ours to make (lease lost) or was made already."""
        holder, number = self._holder, row.identity
        now, owner = holder.clock(), holder.owner
        moved = await holder.store.write(
            lambda s: self._rows.move(s, number, to, owner=owner, now=now, **facts)
        )
        if moved is not None:
            self._log_move(moved, to)
        return moved is not None

    def _log_move(self, row: Row, to: State) -> None:
        event = f"{row.kind}.{to}"
        log.info(event, number=row.number, name=row.name, cause=row.cause, result=row.result)


def _log_once(event: str, name: str, error: Exception, logged: str) -> str:
    """Log why something waits, unless that was `logged` last or is the database, of which the store tells."""
    cause = f"{event}: {error}"
    if cause != logged and not isinstance(error, DatabaseAway):
        log.warning(event, name=name, error=str(error))
    return cause
