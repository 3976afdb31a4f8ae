"""Carries runs: the image that each is to have, its attempts, and what it waits for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Any

import structlog

from bot.catalog import retries
from bot.catalog.catalog import Job
from bot.catalog.retries import Ended
from bot.errors import AskerError, ConfigError
from bot.handlers import preconditions
from bot.handlers.holds import frozen_until
from bot.registry import Registry
from bot.states import NOT_RELEASED, State, attempt_name
from bot.store import attempts, builds, holds, occurrences, runs
from bot.store.holder import LeaseHolder
from bot.store.predecessors import Version
from bot.tables import Run
from bot.telemetry import metrics
from bot.workers import specs
from bot.workers.engine_access import EngineAccess
from bot.workers.worker import Rows, Worker
from executor.spec import Headway, Live, Outcome, Progress, Result, Started

log = structlog.get_logger()


_OTHER_IMAGE = "Its image was cleared away after the yes to it, and another one is none that was approved."
"""A build makes no image twice, and a yes is to the one that was there. Ask for it anew."""


class RunWorker(Worker[Run]):
    """Carries runs that this bot claimed."""

    def __init__(
        self, holder: LeaseHolder, access: EngineAccess, registry: Registry, nonce: Callable[[], str]
    ) -> None:
        super().__init__(holder, access, Rows(runs.get, runs.move))
        self._registry = registry
        self._nonce = nonce
        self._pinning: dict[str, asyncio.Task[Outcome]] = {}
        """Looking up which image exactly a run is to have, by the run's name."""

    def _key(self, row: Run) -> str:
        """The name of its current attempt."""
        return attempt_name(row.name, row.attempt)

    async def _stop(self, row: Run) -> None:
        if row.name in self._pinning:
            self._pinning[row.name].cancel()  # nothing has begun, and a registry may take its time
            return
        await self._move(row, State.STOPPING)
        await super()._stop(row)

    async def _work(self, row: Run) -> None:
        if row.state in (State.WAITING, State.BUILDING):
            if row.stop_by:
                await self._end(row, Outcome(Result.CANCELLED))
                return
            if not await self._prepare(row) or await self._is_unpreceded(row) or await self._is_frozen(row):
                return
            begun = await self._begin(row)
            if begun is None:
                return
            row = begun
        try:
            spec = specs.of_run(row, self._key(row), self._registry.config, await self._payload(row))
        except (ConfigError, AskerError) as error:
            await self._abandon(row, "NotConfigured", str(error))
            return
        await self._attempt(row, self._access.engine.run(spec))

    async def _is_unpreceded(self, run: Run) -> bool:
        """End a run whose image, which is known by now, has another job to succeed in it first."""
        rules = self._registry.catalog.jobs.get(run.job) or Job.frozen(run.definition)
        if all(each.of != "image" for each in rules.predecessors):
            return False
        holder, version = self._holder, Version(run.commit, run.digest)
        why = await holder.store.read(
            lambda s: preconditions.unpreceded(s, run.job, rules, version, now=holder.clock())
        )
        if why is None:
            return False
        facts = {"result": Result.CANCELLED, "reason": NOT_RELEASED, "reason_on": why}
        if await self._move(run, State.FINISHED, **facts):
            await self._access.logs.finish(self._key(run))
        return True

    async def _is_frozen(self, run: Run) -> bool:
        """Hold back a run that was asked for before a freeze began; a further attempt goes on."""
        if run.override is not None or run.started_at is not None:
            return False
        holder, calendar = self._holder, self._registry.config.calendar
        rules = self._registry.catalog.jobs.get(run.job) or Job.frozen(run.definition)
        candidate = preconditions.Candidate(rules, calendar, run=run)
        why = await holder.store.read(lambda s: preconditions.frozen(s, candidate, holder.clock()))
        if why is None:
            return False
        now = holder.clock()
        holding = frozen_until(why, now)
        await holder.store.write(lambda s: holds.take(s, run, holder.owner, holding, now=now))
        log.info("run.frozen", run=run.number)
        return True

    async def _payload(self, run: Run) -> str | None:
        """What whoever caused the run on GitHub wants the job to have."""
        happened = run.occurrence
        if happened is None:
            return None
        row = await self._holder.store.read(lambda s: occurrences.get(s, happened))
        return None if row is None else row.payload

    async def _prepare(self, run: Run) -> bool:
        """See to it that the engine has the image of the run; False where the run cannot start now."""
        image = specs.image_to_pin(run)
        if run.digest is not None:
            if await self._access.engine.has_image(run.digest):
                return True
            if run.build_number is not None and run.approval is not None:
                number = run.build_number
                await self._holder.store.write(lambda session: builds.gone(session, number))
                await self._end(run, Outcome(Result.ERROR, reason="ImageGone", message=_OTHER_IMAGE))
                return False
            if run.build_number is not None:
                await self._build_again(run)
                return False
            image = run.digest  # the very same, wherever the name leads today
        return image is None or await self._pin(run, image)

    async def _pin(self, run: Run, image: str | Live) -> bool:
        """Look up which image exactly `image` is and store it; False where the run does not start with it.

        What nobody can have ends the run; so does a cancel meanwhile, however long a registry takes.
        """
        holder, number = self._holder, run.identity
        task = asyncio.ensure_future(self._follow(run, self._access.engine.pin(image)))
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
        now = holder.clock()
        stored = await holder.store.write(
            lambda s: runs.pin(s, number, owner=holder.owner, digest=digest, now=now)
        )
        if stored is None:
            return False
        run.digest = stored.digest
        log.info("image.pinned", run=number, image=digest)
        return True

    async def _build_again(self, run: Run) -> None:
        """Let a run wait for its image once more: the engine has cleared it away since it was built."""
        holder, number, nonce = self._holder, run.identity, self._nonce()
        log.info("image.gone", run=number, image=run.digest)
        await holder.store.write(
            lambda s: builds.again(s, number, owner=holder.owner, now=holder.clock(), nonce=nonce)
        )

    async def _begin(self, run: Run) -> Run | None:
        """Store that the next attempt starts; None when it is not ours to start (any more)."""
        holder, number = self._holder, run.identity
        begun = await holder.store.write(lambda s: attempts.begin(s, number, owner=holder.owner))
        if begun is not None:
            self._log_move(begun, State.STARTING)
        return begun

    async def _attempt(self, run: Run, story: AsyncIterator[Progress]) -> None:
        """Carry one attempt to its end, after which the run is finished or waits for the next.

        Killed before the end of an attempt is stored, the bot finds it with the engine again, under the
        same key; killed after it, whichever bot claims the run begins the next.
        """
        outcome = await self._follow(run, story)
        rules = retries.of_definition(run.definition)
        if rules is None:
            await self._finish(run, outcome)
            return
        holder, number, facts = self._holder, run.identity, await self._facts(run, outcome)
        now, owner = holder.clock(), holder.owner
        ended = Ended(run.attempt, outcome.result, outcome.reason, outcome.exit_code)
        pause = rules.pause_after(ended, run.name)
        moved = await holder.store.write(
            lambda s: attempts.end(s, number, run.attempt, owner=owner, now=now, pause=pause, **facts)
        )
        if moved is None:
            return
        log.info("attempt.finished", number=number, attempt=run.attempt, result=outcome.result)
        if moved.state == State.FINISHED:
            self._log_move(moved, State.FINISHED)
        elif pause is not None:
            asyncio.get_running_loop().call_later(pause, holder.store.wakeup("runs").set)
        await self._forget(run)

    async def _begun(self, row: Run, started: Started) -> None:
        """Note when the run began, which is when its first attempt did."""
        at = started.at if row.started_at is None else row.started_at
        if not await self._move(row, State.RUNNING, started_at=at):
            await self._note(row, None)  # it ran already, so what it seemed to wait for is over

    async def _wait(self, row: Run, reason: str) -> None:
        await self._note(row, reason)

    async def _advance(self, row: Run, headway: Headway) -> None:
        holder, number, done, total = self._holder, row.identity, headway.done, headway.total
        await holder.store.write(
            lambda s: runs.advance(s, number, owner=holder.owner, done=done, total=total)
        )

    async def _facts(self, row: Run, outcome: Outcome) -> dict[str, Any]:
        report = outcome.report
        return await super()._facts(row, outcome) | {
            "outputs": dict(report.outputs) or None,
            "summary": report.summary,
            "progress": None if report.headway is None else asdict(report.headway),
        }

    async def _note(self, run: Run, reason: str | None) -> None:
        holder, number = self._holder, run.identity
        await holder.store.write(lambda s: runs.note(s, number, owner=holder.owner, waiting_for=reason))

    def _log_move(self, row: Run, to: State) -> None:
        if to is State.RUNNING and row.attempt == 1:
            metrics.count_start(row)
        super()._log_move(row, to)
