"""Schedules start runs: a heap of what is due next, and one transaction for all that is due at a moment.

Nothing of the heap is needed again after a restart: what was decided stands in the database, and every
decision looks at all that is due since then. Where GitHub has to say which commit is meant, it is asked
first; does it not answer, the moment stays undecided for as long as its run may still start.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import Any

import structlog

from bot.catalog.catalog import Catalog
from bot.catalog.due import Plan, judge, plans_of
from bot.errors import AskerError, DatabaseAway, Refused, RetryLater
from bot.handlers.authorization import RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Order, Target, TransactionCache
from bot.handlers.resolution import TargetResolver
from bot.handlers.start import scheduled_order
from bot.registry import Registry
from bot.states import ActorKind, Cause, TickOutcome
from bot.store import Session, Store, image_tags, runs, ticks
from bot.tables import JobState, Tick
from bot.telemetry.metrics import TICKS
from bot.text.names import schedule_key

log = structlog.get_logger()

LONGEST = 60.0
"""Seconds of sleep at most: the clock of the machine may be set, or have stood still, meanwhile."""
AGAIN = 1.0
"""Seconds until a decision is tried again, doubled for every further try up to `LONGEST`."""
SHOWN = 5
"""How many of the schedules that were decided together the log names."""
TOGETHER = 1000
"""Schedules decided in one transaction; a longer one would make everybody else wait."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why no run can start. `delay`: seconds after which it may be possible; None: it will not be."""

    why: str
    delay: float | None = None


@dataclass(slots=True)
class TickDecision:
    """What came of one transaction: up to when schedules were decided, which are not, what was recorded."""

    to: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    """Why it is not, by key."""
    outcomes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Turn:
    """When it is decided, what this transaction has found so far, and where what comes of it is noted."""

    now: float
    seen: TransactionCache
    decided: TickDecision


def _turns(plans: Sequence[Plan]) -> Sequence[Sequence[Plan]]:
    """The plans in groups that have each job once: nearly always all of them."""
    turns: list[list[Plan]] = []
    times: Counter[str] = Counter()
    for plan in plans:
        turn = times[plan.job.name]
        times[plan.job.name] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(plan)
    return turns


class TickHandler:
    """Knows when which schedule is due; `look` begins to decide what is due now."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        resolver: TargetResolver,
        enqueuer: Enqueuer,
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._store = store
        self._resolver = resolver
        self._enqueuer = enqueuer
        self._clock = clock
        self._catalog = Catalog()
        """Where the plans are from."""
        self._looked = 0.0
        """When it was looked last, by a clock that may have been set back since."""
        self._plans: dict[str, Plan] = {}
        self._heap: list[tuple[float, str]] = []
        self._next: dict[str, float] = {}
        """The one entry of the heap that counts, by key; others are left over."""
        self._tries: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        """What kept a schedule that is tried again from starting its job the last time."""
        self.tasks: set[asyncio.Task[None]] = set()
        """The decisions that are under way."""

    def rest(self) -> float:
        """Seconds until something is due."""
        if self._catalog is not self._registry.catalog:
            return AGAIN
        if not self._heap:
            return LONGEST
        return min(max(self._heap[0][0] - self._clock(), 0.0), LONGEST)

    async def look(self) -> None:
        """Take note of the schedules if they changed, and begin to decide what is due."""
        await self._refresh()
        for plans in self._due(self._clock()):
            task = asyncio.create_task(self._carry(plans))
            self.tasks.add(task)
            task.add_done_callback(self._done)

    async def turn(self) -> None:
        """Decide all that is due, to the end."""
        await self.look()
        await asyncio.gather(*self.tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self._store.wakeup("ticks").set()

    # What is due ----------------------------------------------------------------------------------

    async def _refresh(self) -> None:
        registry, now = self._registry, self._clock()
        catalog, mark = registry.catalog, registry.mark
        if catalog is self._catalog and now >= self._looked - ticks.AHEAD:
            self._looked = now
            return
        plans = {plan.key: plan for plan in plans_of(*catalog.jobs.values())}
        texts = {key: plan.text for key, plan in plans.items()}
        begun = await self._store.write(lambda s: ticks.begin(s, texts, now=now, mark=mark))
        if begun is None:
            # Another bot changed a job. What this one knew of it must not be taken for news.
            await self._registry.refresh()
            return
        # In a thread: reading ten thousand schedules takes a second.
        coming = await asyncio.to_thread(lambda: {key: plans[key].after(at) for key, at in begun.items()})
        self._catalog, self._plans, self._next, self._looked = catalog, plans, coming, now
        self._heap = [(at, key) for key, at in coming.items()]
        heapify(self._heap)
        log.info("schedules", jobs=len({plan.job.name for plan in plans.values()}), schedules=len(plans))

    def _push(self, key: str, at: float) -> None:
        if key in self._plans:
            self._next[key] = at
            heappush(self._heap, (at, key))

    def _due(self, now: float) -> list[list[Plan]]:
        """The schedules whose time has come, those that ask for the same repository together."""
        groups: dict[str | None, list[Plan]] = {}
        while self._heap and self._heap[0][0] <= now:
            at, key = heappop(self._heap)
            if self._next.get(key) == at:
                del self._next[key]
                plan = self._plans[key]
                groups.setdefault(self._repository(plan), []).append(plan)
        return [
            plans[start : start + TOGETHER]
            for plans in groups.values()
            for start in range(0, len(plans), TOGETHER)
        ]

    def _repository(self, plan: Plan) -> str | None:
        return self._catalog.repository_of(plan.job)

    # Deciding -------------------------------------------------------------------------------------

    async def _carry(self, plans: Sequence[Plan]) -> None:
        """Decide, and come back to what is not decided; of what fails together each is tried alone."""
        keys = [plan.key for plan in plans]
        try:
            decided = await self._decide(plans)
        except RetryLater as error:
            if not isinstance(error, DatabaseAway):
                log.warning("ticks.wait", error=str(error))
            decided = TickDecision(waiting=dict.fromkeys(keys, str(error)))
        except Exception:
            log.exception("ticks.failed", first=keys[:SHOWN], jobs=len(keys))
            if len(plans) > 1:
                for plan in plans:
                    await self._carry([plan])
                return
            decided = TickDecision(
                waiting=dict.fromkeys(keys, "Errand failed over it; the cause is in its own log.")
            )
        now = self._clock()
        for key in keys:
            if key in decided.waiting:
                self._tries[key] += 1
                self._why[key] = decided.waiting[key]
                self._push(key, now + self._delay(key))
            else:
                self._tries.pop(key, None)
                self._why.pop(key, None)
                if key in self._plans:
                    self._push(key, self._plans[key].after(decided.to.get(key, now)))

    def _delay(self, key: str) -> float:
        return min(AGAIN * 2.0 ** min(self._tries[key] - 1, 16), LONGEST)

    async def _decide(self, plans: Sequence[Plan]) -> TickDecision:
        """Ask GitHub where it matters, then decide in one transaction."""
        now = self._clock()
        repository = self._repository(plans[0])
        targets: Mapping[str | None, Target] | Trouble
        if repository is None:
            images = {plan.job.image: self._catalog.images.get(plan.job.image or "") for plan in plans}
            targets = {name: Target(None, False, ready=image, follows=True) for name, image in images.items()}
        elif await self._any_runs(plans, now):
            targets = await self._targets(plans, repository)
        else:
            targets = {}
        decided = await self._store.write(lambda s: self._settle(s, plans, targets, now))
        for outcome, count in decided.outcomes.items():
            TICKS.labels(outcome).inc(count)
        if decided.outcomes:
            keys = [plan.key for plan in plans[:SHOWN]]
            log.info("ticks.decided", first=keys, jobs=len(plans), **decided.outcomes)
        return decided

    async def _any_runs(self, plans: Sequence[Plan], now: float) -> bool:
        """Whether anything is to be started, as far as is known before the transaction."""
        keys = [plan.key for plan in plans]
        states = await self._store.read(lambda s: ticks.states(s, keys))
        moments = (each for plan in plans if plan.key in states for each in judge(plan, states, now))
        return any(moment.outcome == TickOutcome.RUN for moment in moments)

    async def _targets(self, plans: Sequence[Plan], repository: str) -> Mapping[str | None, Target] | Trouble:
        """What each image is built from now, by its name: the head of the default branch; one repository."""
        catalog = self._catalog
        images = [catalog.images[name] for name in {plan.job.image for plan in plans} if name]
        if not self._registry.config.allows(repository):
            return Trouble(f"Jobs of {repository} are not run here.")
        try:
            target = await self._resolver.head(images[0], repository)
        except RetryLater as error:
            delay = max(error.delay or 0.0, max(self._delay(plan.key) for plan in plans))
            return Trouble(f"GitHub did not answer: {error}", delay)
        except (AskerError, Refused) as error:
            return Trouble(f"GitHub: {error}")
        if target.source is None:
            raise LookupError("an image without a source")
        return {image.name: replace(target, source=replace(target.source, image=image)) for image in images}

    def _settle(
        self,
        session: Session,
        plans: Sequence[Plan],
        targets: Mapping[str | None, Target] | Trouble,
        now: float,
    ) -> TickDecision:
        """The transaction: what is due is recorded, and what runs is enqueued."""
        decided = TickDecision()
        states = ticks.hold(session, [plan.key for plan in plans])
        seen = TransactionCache(tags=image_tags.all(session))
        for some in _turns(plans):
            self._settle_turn(session, some, states, targets, _Turn(now, seen, decided))
        return decided

    def _settle_turn(
        self,
        session: Session,
        plans: Sequence[Plan],
        states: Mapping[str, JobState],
        targets: Mapping[str | None, Target] | Trouble,
        turn: "_Turn",
    ) -> None:
        """The same for one schedule of each job: what is in the way of its next is stored by then."""
        decided, now = turn.decided, turn.now
        orders, rows = dict[tuple[str, float], Order](), list[Tick]()
        for plan in plans:
            state = states.get(plan.key)
            if state is None:
                continue
            if ticks.timetable_of(state) != plan.text:  # another bot has read a newer one, and we shall hear
                decided.waiting[plan.key] = ""
                continue
            moments = self._moments(session, plan, states, targets, now)
            if moments is None:
                decided.waiting[plan.key] = targets.why if isinstance(targets, Trouble) else ""
                continue
            for tick, order in moments:
                rows.append(tick)
                if order is not None:
                    orders[tick.job, tick.at] = order
            decided.to[plan.key] = state.ticked_to if state.ticked_to is not None else now
        fresh = ticks.record(session, rows)
        drafts = [self._enqueuer.draft(session, orders[key], turn.seen) for key in orders if key in fresh]
        new = runs.enqueue_all(session, drafts, now=now)
        ticks.started(
            session,
            {
                (schedule_key(run.job, run.schedule), run.tick_at): run.identity
                for run in new
                if run.tick_at is not None
            },
        )
        self._enqueuer.occasions.note(
            session, plans, [row for row in rows if (row.job, row.at) in fresh], new
        )
        decided.outcomes.update(row.outcome for row in rows if (row.job, row.at) in fresh)

    def _moments(
        self,
        session: Session,
        plan: Plan,
        states: Mapping[str, JobState],
        targets: Mapping[str | None, Target] | Trouble,
        now: float,
    ) -> list[tuple[Tick, Order | None]] | None:
        """What becomes of the due moments of one schedule, which its state notes; None: not known yet."""
        state = states[plan.key]
        before = state.ticked_to
        moments: list[tuple[Tick, Order | None]] = []
        for moment in judge(plan, states, now, self._why.get(plan.key)):
            state.ticked_to = moment.at
            if moment.outcome is None:
                continue
            order, outcome, reason = None, moment.outcome, moment.reason
            if outcome is TickOutcome.RUN and isinstance(targets, Trouble):
                last = plan.starts_at(moment.at) + plan.patience
                if targets.delay is not None and now + targets.delay <= last:
                    state.ticked_to = before
                    return None
                outcome, reason = TickOutcome.MISSED, {"kind": "answer", "text": targets.why}
            elif outcome is TickOutcome.RUN and not isinstance(targets, Trouble):
                order, outcome, reason = self._order(session, plan, targets, moment.at)
            tick = Tick(job=plan.key, at=moment.at, outcome=outcome, reason=reason, decided_at=now)
            moments.append((tick, order))
        # By the moments that were decided and not by the time: a jitter longer than the pace leaves some.
        done = -math.inf if state.ticked_to is None else state.ticked_to
        if state.skip_at is not None and state.skip_at <= done:
            state.skip_at = state.skipped_by = None
        if state.paused and state.paused_until is not None and state.paused_until <= done:
            state.paused, state.paused_until, state.paused_by, state.paused_why = False, None, None, None
        return moments

    def _order(
        self, session: Session, plan: Plan, targets: Mapping[str | None, Target], at: float
    ) -> tuple[Order | None, TickOutcome, dict[str, Any] | None]:
        """The run of a due moment, or why there is none."""
        job, target = plan.job, targets.get(plan.job.image)
        if job.image is not None and job.image not in self._catalog.images:
            return None, TickOutcome.MISSED, {"kind": "no_image", "image": job.image}
        if target is None:
            raise RetryLater("it became due while GitHub was not asked")
        context = RequestContext(
            key=f"tick:{plan.key}", cause=Cause.SCHEDULE, actor=ActorKind.SCHEDULE, login=None
        )
        try:
            order = scheduled_order(context, job, target, at, plan.timetable)
        except AskerError as error:
            return None, TickOutcome.MISSED, error.reason
        if (why := self._enqueuer.refusal(session, order)) is not None:
            return None, TickOutcome.FROZEN if why["kind"] == "frozen" else TickOutcome.REFUSED, why
        return order, TickOutcome.RUN, None
