"""Carries one claimed build or run from where it stands to its end.

Every move is stored before it is told. A worker may be killed anywhere: the engine attaches when the
same row is carried again, and a move that was stored already is simply not made twice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog

from bot.catalog.catalog import Job
from bot.context import Context
from bot.errors import AskerError, ConfigError, DatabaseAway, Refused, RetryLater
from bot.states import State, attempt_name, pause_after
from bot.store import attempts, builds, runs
from bot.tables import Build, Run
from bot.telemetry import metrics
from bot.workers import specs
from bot.workers.leftovers import Leftovers
from executor.errors import EngineUnavailable
from executor.spec import Live, Outcome, Pending, Progress, Result, Source, Started

log = structlog.get_logger()

TAIL_LINES = 20
"""Lines of the log that are told when something failed."""
SOURCE_TRIES = 6
"""How often a build asks for its source before it gives up: with the delays, about a minute."""
FAILURES = 3
"""How often Errand itself may fail over a build or a run before that ends as an error."""
SETTLED = 60.0
"""Seconds after which whatever was away has been back in between, so that it is told again."""
AGAIN = 1.0
"""Seconds before a build or run is carried on when the database was away or Errand failed."""
WENT_WRONG = "Errand failed over this; the cause is in its own log."
LONGEST_WAIT = 60.0
"""Seconds between two tries, at most."""
_AGAIN = (Result.FAILED, Result.TIMED_OUT, Result.ERROR)
"""The ends of an attempt after which there is another, while the job has `retries` left."""


class Worker:
    """Carries builds and runs that this bot claimed."""

    def __init__(self, tools: Context, leftovers: Leftovers | None = None) -> None:
        self._tools = tools
        self._leftovers = Leftovers() if leftovers is None else leftovers
        self._stopping: set[str] = set()
        self._pinning: dict[str, asyncio.Task[Outcome]] = {}
        """Looking up which image exactly a run is to have, by the run's name."""

    async def stop(self, row: Build | Run) -> None:
        """Somebody asked to stop what this bot carries: said to the engine once, again where that failed."""
        if row.name in self._stopping:
            return
        self._stopping.add(row.name)
        if row.name in self._pinning:
            self._pinning[row.name].cancel()  # nothing has begun, and a registry may take its time
            return
        try:
            if isinstance(row, Run):
                await self._move(row, State.STOPPING)
            # Read anew: another attempt may have begun than the one that was claimed.
            now = await self._reload(row)
            if now is not None:
                await self._tools.engine.stop(_key(now))
        except BaseException:
            self._stopping.discard(row.name)
            raise

    async def carry(self, row: Build | Run) -> None:
        """Carry to the end, however often the database or the engine does not answer meanwhile.

        The job goes on then, only the notes of it wait. Where Errand itself fails again and again, that
        is the end: an error that people are told, instead of the same failure for ever.
        """
        failures, logged = 0, ""
        current: Build | Run | None = row
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
                    logged = _log_once("carry.waits", row, error, logged)
                    delay = error.delay or AGAIN
                except EngineUnavailable as error:
                    logged = _log_once("engine.unavailable", row, error, logged)
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

    async def _carry(self, row: Build | Run) -> None:
        if row.state == State.FINISHED:
            return
        if row.stop_by:
            self._stopping.add(row.name)
        if isinstance(row, Build):
            await self._build(row)
        else:
            await self._run(row)

    async def _current(self, row: Build | Run, delay: float) -> Build | Run | None:
        """The row after `delay` seconds, or once it can be read.

        Never as it was before: a run may have got to its next attempt since, and the engine have forgotten
        the one before, which it would start anew.
        """
        while True:
            await asyncio.sleep(min(delay, LONGEST_WAIT))
            try:
                return await self._reload(row)
            except RetryLater as error:
                _log_once("carry.waits", row, error, "")
                delay = error.delay or AGAIN

    async def _reload(self, row: Build | Run) -> Build | Run | None:
        """The row as it is now; None once it is another bot's, or finished."""
        number, read = row.identity, self._tools.store.read
        now: Build | Run | None
        if isinstance(row, Build):
            now = await read(lambda s: builds.get(s, number))
        else:
            now = await read(lambda s: runs.get(s, number))
        return now if now is not None and now.lease_owner == self._tools.owner else None

    async def _build(self, build: Build) -> None:
        if build.state == State.WAITING:
            if build.stop_by:
                await self._end(build, Outcome(Result.CANCELLED))
                return
            if not await self._move(build, State.BUILDING, started_at=self._tools.clock()):
                return
        source = await self._source(build)
        if isinstance(source, Outcome):
            await self._end(build, source)
            return
        try:
            spec = specs.of_build(build, source, self._tools.config)
        except ConfigError as error:
            await self._abandon(build, "NotConfigured", str(error))
            return
        await self._finish(build, await self._follow(build, self._tools.engine.build(spec)))

    async def _run(self, run: Run) -> None:
        if run.state in (State.WAITING, State.BUILDING):
            if run.stop_by:
                await self._end(run, Outcome(Result.CANCELLED))
                return
            if not await self._prepare(run):
                return
            begun = await self._begin(run)
            if begun is None:
                return
            run = begun
        try:
            spec = specs.of_run(run, _key(run), self._tools.config)
        except (ConfigError, AskerError) as error:
            await self._abandon(run, "NotConfigured", str(error))
            return
        await self._attempt(run, self._tools.engine.run(spec))

    async def _prepare(self, run: Run) -> bool:
        """See to it that the engine has the image of the run; False where the run cannot start now."""
        wanted = specs.wanted(run)
        if run.digest is not None:
            if await self._tools.engine.has_image(run.digest):
                return True
            if run.build_number is not None:
                await self._build_again(run)
                return False
            wanted = run.digest  # the very same, wherever the name leads today
        return wanted is None or await self._pin(run, wanted)

    async def _pin(self, run: Run, wanted: str | Live) -> bool:
        """Look up which image exactly `wanted` is and store it; False where the run does not start with it.

        What nobody can have ends the run; so does a cancel meanwhile, however long a registry takes.
        """
        tools, number = self._tools, run.identity
        task = asyncio.ensure_future(self._follow(run, tools.engine.pin(wanted)))
        self._pinning[run.name] = task
        try:
            outcome = await task
        except asyncio.CancelledError:
            if run.name not in self._stopping or (asyncio.current_task() or task).cancelling():
                raise
            outcome = Outcome(Result.CANCELLED)
        finally:
            del self._pinning[run.name]
        digest = outcome.image
        if outcome.result is not Result.SUCCEEDED or digest is None:
            await self._end(run, outcome)
            return False
        stored = await tools.store.write(lambda s: runs.pin(s, number, owner=tools.owner, digest=digest))
        if stored is None:
            return False
        run.digest = stored.digest
        log.info("image.pinned", run=number, image=digest)
        return True

    async def _begin(self, run: Run) -> Run | None:
        """Store that the next attempt starts; None when it is not ours to start (any more)."""
        tools, number = self._tools, run.identity
        now, owner = tools.clock(), tools.owner
        begun = await tools.store.write(lambda s: attempts.begin(s, number, owner=owner, now=now))
        if begun is not None:
            _told(begun, State.STARTING)
        return begun

    async def _attempt(self, run: Run, story: AsyncIterator[Progress]) -> None:
        """Carry one attempt to its end, after which the run is finished or waits for the next.

        Killed before the end of an attempt is stored, the bot finds it with the engine again, under the
        same key; killed after it, whichever bot claims the run begins the next.
        """
        outcome = await self._follow(run, story)
        retries = Job.frozen(run.definition).retries
        if not retries:
            await self._finish(run, outcome)
            return
        tools, number, facts = self._tools, run.identity, await self._facts(run, outcome)
        now, owner = tools.clock(), tools.owner
        again = outcome.result in _AGAIN and run.attempt <= retries
        pause = pause_after(run.attempt) if again else None
        moved = await tools.store.write(
            lambda s: attempts.end(s, number, run.attempt, owner=owner, now=now, pause=pause, **facts)
        )
        if moved is None:
            return
        log.info("attempt.finished", number=number, attempt=run.attempt, result=outcome.result)
        if moved.state == State.FINISHED:
            _told(moved, State.FINISHED)
        elif pause is not None:
            asyncio.get_running_loop().call_later(pause, tools.store.wakeup("runs").set)
        await self._forget(run)

    async def _build_again(self, run: Run) -> None:
        """Let a run wait for its image once more: the engine has cleared it away since it was built."""
        tools, number, nonce = self._tools, run.identity, self._tools.nonce()
        log.info("image.gone", run=number, image=run.digest)
        await tools.store.write(
            lambda s: builds.again(s, number, owner=tools.owner, now=tools.clock(), nonce=nonce)
        )

    async def _follow(self, row: Build | Run, story: AsyncIterator[Progress]) -> Outcome:
        """Store what the engine says until the end; gives that."""
        async for progress in story:
            if isinstance(progress, Outcome):
                return progress
            await self._note(row, progress)
        raise RuntimeError("the engine fell silent without an outcome")

    async def _note(self, row: Build | Run, progress: Pending | Started) -> None:
        if isinstance(progress, Pending):
            await self._wait(row, progress.reason)
        elif isinstance(row, Run) and not await self._move(row, State.RUNNING, **_begun(row, progress)):
            await self._wait(row, None)  # it ran already, so what it seemed to wait for is over
        # Asked for before the engine knew of it: the request would have gone nowhere, so it is repeated.
        if row.name in self._stopping:
            await self._tools.engine.stop(_key(row))

    async def _wait(self, row: Build | Run, reason: str | None) -> None:
        """Say what a run waits for; builds only ever wait for the engine."""
        tools, number = self._tools, row.identity
        if isinstance(row, Run):
            await tools.store.write(lambda s: runs.note(s, number, owner=tools.owner, waiting_for=reason))

    # Ends -----------------------------------------------------------------------------------------

    async def _abandon(self, row: Build | Run, reason: str, message: str) -> None:
        """The end where Errand cannot go on; what the engine may have begun in an earlier life is to stop."""
        try:
            await self._tools.engine.stop(_key(row))
        except EngineUnavailable as error:
            log.warning("stop.failed", name=row.name, error=str(error))
        except Exception:
            log.exception("stop.failed", name=row.name)
        await self._end(row, Outcome(Result.ERROR, reason=reason, message=message))

    async def _end(self, row: Build | Run, outcome: Outcome) -> None:
        """An end that the engine knows nothing of: no writer will ever say that the log is complete."""
        if await self._finish(row, outcome):
            await self._tools.logs.finish(_key(row))

    async def _finish(self, row: Build | Run, outcome: Outcome) -> bool:
        """Store the end; False where another bot carries it, which would start anew what is forgotten."""
        facts = await self._facts(row, outcome)
        if isinstance(row, Build):
            facts["digest"] = outcome.image
        if not await self._move(row, State.FINISHED, **facts):
            return False
        await self._forget(row)
        return True

    async def _facts(self, row: Build | Run, outcome: Outcome) -> dict[str, Any]:
        """What is stored of an end."""
        tail: list[str] = []
        if outcome.result is not Result.SUCCEEDED:
            tail = await self._tools.logs.tail(_key(row), TAIL_LINES)
        facts: dict[str, Any] = {
            "result": outcome.result,
            "reason": outcome.reason,
            "message": outcome.message,
            "exit_code": outcome.exit_code,
            "finished_at": outcome.finished_at or self._tools.clock(),
            "tail": tail,
        }
        if outcome.started_at is not None:
            facts["started_at"] = outcome.started_at
        return facts

    async def _forget(self, row: Build | Run) -> None:
        """Let the engine forget what has ended and is stored."""
        try:
            await self._tools.engine.remove(_key(row))
        except (EngineUnavailable, OSError) as error:
            self._leftovers.add(_key(row))
            log.warning("remove.failed", name=_key(row), error=str(error))

    # The store, the configuration, GitHub -----------------------------------------------------------

    async def _move(self, row: Build | Run, to: State, **facts: Any) -> bool:
        """Store the move; False when it is not ours to make (lease lost) or was made already."""
        tools, number = self._tools, row.identity
        now, owner = tools.clock(), tools.owner
        moved: Build | Run | None
        if isinstance(row, Build):
            moved = await tools.store.write(
                lambda s: builds.move(s, number, to, owner=owner, now=now, **facts)
            )
        else:
            moved = await tools.store.write(lambda s: runs.move(s, number, to, owner=owner, now=now, **facts))
        if moved is None:
            return False
        if isinstance(moved, Run) and to is State.RUNNING and moved.attempt == 1:
            metrics.count_start(moved)
        _told(moved, to)
        return True

    async def _source(self, build: Build) -> Source | Outcome:
        """Where the engine gets the commit from, or why it cannot; `RetryLater` for a build that goes on."""
        github = self._tools.github
        if github is None:
            return Outcome(Result.ERROR, reason="NoSource", message="GitHub is not configured here.")
        for attempt in range(SOURCE_TRIES):
            try:
                url, token = await github.clone(build.repository)
            except RetryLater as error:
                log.warning("build.source", name=build.name, error=str(error))
                await asyncio.sleep(min(error.delay or 2.0**attempt, 60.0))
            except Refused as error:
                return Outcome(Result.ERROR, reason="NoSource", message=f"GitHub refused: {error}")
            else:
                return Source(repository=build.repository, url=url, commit=build.commit, token=token)
        if build.state == State.BUILDING:  # carried on, and the engine may need nothing more from GitHub
            raise RetryLater("GitHub could not be reached")
        return Outcome(Result.ERROR, reason="NoSource", message="GitHub could not be reached.")


def _key(row: Build | Run) -> str:
    """What the engine and the logs call a build, or the current attempt of a run."""
    return attempt_name(row.name, row.attempt) if isinstance(row, Run) else row.name


def _told(row: Build | Run, to: State) -> None:
    event = f"{type(row).__name__.lower()}.{to}"
    log.info(event, number=row.number, name=row.name, cause=row.cause, result=row.result)


def _begun(run: Run, started: Started) -> dict[str, Any]:
    """When the run began, which is when its first attempt did."""
    return {"started_at": started.at if run.started_at is None else run.started_at}


def _log_once(event: str, row: Build | Run, error: Exception, logged: str) -> str:
    """Log why something waits, unless that was `logged` last or is the database, of which the store tells."""
    cause = f"{event}: {error}"
    if cause != logged and not isinstance(error, DatabaseAway):
        log.warning(event, name=row.name, error=str(error))
    return cause
