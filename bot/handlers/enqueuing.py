"""What it takes to start: the run, the build it needs, the places to tell, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import messages
from bot.handlers import approval_requests, preconditions
from bot.handlers.authorization import RequestContext
from bot.handlers.cards import CardTargets
from bot.handlers.journal import rule_of
from bot.handlers.lock_owners import tell_owner
from bot.handlers.orders import Order, Source, Target, TransactionCache
from bot.handlers.overrides import record_override
from bot.handlers.schedule_occasions import ScheduleOccasions
from bot.registry import Registry
from bot.states import Hold, State
from bot.store import Session, builds, holds, occurrences, posts, runs, versions
from bot.tables import Build, Run


@dataclass(frozen=True, slots=True)
class Prospect:
    """The run that an order would give and the build that it would use; `refusal`: why not (Markdown).

    `frozen`: because of a freeze, which somebody may override.
    """

    run: Run
    build: Build | None
    refusal: str | None
    frozen: bool = False


class Enqueuer:
    """Enqueues for everything that starts builds or runs."""

    def __init__(
        self, registry: Registry, cards: CardTargets, clock: Callable[[], float], nonce: Callable[[], str]
    ) -> None:
        self._registry = registry
        self._cards = cards
        self._clock = clock
        self._nonce = nonce
        self.occasions = ScheduleOccasions(nonce)
        """What is told of schedules beside the runs that they start."""

    def enqueue(self, session: Session, order: Order) -> Run:
        """Store the run, the build it needs and its cards; gives the run, also if it was stored before.

        Raises `NotNow` where a precondition does not hold.
        """
        why = self.refusal(session, order)
        if why is not None and not runs.is_known(session, order.key):
            raise preconditions.error(why)
        freeze = self.overridden(session, order)
        draft = self.draft(session, order if freeze else replace(order, override=None), TransactionCache())
        stored, is_new = runs.enqueue(
            session, draft.run, draft.cards, now=self._clock(), nonce=draft.nonce, rule=draft.rule
        )
        if is_new and freeze is not None:
            record_override(session, order.context, stored, freeze, self._clock())
        if is_new:
            config, now = self._registry.config, self._clock()
            tell_owner(session, stored, order.job.notify, config, now=now, nonce=self._nonce)
        return stored

    def overridden(self, session: Session, order: Order) -> dict[str, Any] | None:
        """The freeze that the order overrides; None where none is on, or it overrides none."""
        if order.override is None:
            return None
        return preconditions.frozen(session, self._candidate(session, order), self._clock())

    def _candidate(self, session: Session, order: Order) -> preconditions.Candidate:
        target = self._target(session, order, TransactionCache()) if order.overlap.predecessors else None
        calendar = self._registry.config.calendar
        return preconditions.Candidate(order.overlap, calendar, order=order, target=target)

    def draft(self, session: Session, order: Order, seen: TransactionCache) -> runs.Draft:
        """The run of `order` and its cards, not stored yet, and the build it needs, which is.

        `seen` is for this transaction: made anew for every one, since one that fails may be run again.
        """
        target = self._target(session, order, seen)
        run, source = self._run(session, order, target), target.source
        if source is not None:
            needed = f"{source.image.name}@{source.commit}"
            if needed not in seen.builds:
                seen.builds[needed] = self._build_for(session, order, target, source)
            build = seen.builds[needed]
            run.build_number, run.digest = build.number, build.digest
        notify = order.job.notify
        if order.override is not None:  # which its channel hears of at once, whatever else it hears
            notify = notify.model_copy(update={"when": None})
        cards = self._cards.of(
            order.context, target, f"run:{run.job}", github=notify.github, channels=[notify]
        )
        if order.occurrence is not None and run.repository is not None:
            row = occurrences.get(session, order.occurrence)
            cards += [] if row is None else self._cards.occurrence(row, run.repository)
        rule = rule_of(order.context, job=order.job.name, repository=target.repository)
        return runs.Draft(run, cards, self._nonce(), rule)

    def prospect(self, session: Session, order: Order) -> Prospect:
        """What `enqueue` would store and do now; nothing is stored."""
        target = self._target(session, order, TransactionCache())
        run, build = self._run(session, order, target), None
        if (source := target.source) is not None:
            build = builds.usable(session, source.image.name, source.commit, source.image.recipe, source.ref)
            if build is not None:
                run.build_number, run.digest = build.number, build.digest
        why = self.refusal(session, order)
        if why is None:
            return Prospect(run, build, None)
        return Prospect(run, build, messages.reason(why), why["kind"] == "frozen")

    def refusal(self, session: Session, order: Order) -> dict[str, Any] | None:
        """Why the run would not even be stored, as a reason; what is held for later is asked then."""
        if order.not_before is not None:
            return None
        return preconditions.refusal(session, self._candidate(session, order), now=self._clock())

    @staticmethod
    def _target(session: Session, order: Order, seen: TransactionCache) -> Target:
        """The target with the tag that was chosen for the job, where nobody named anything else."""
        target = order.target
        if target.follows and target.image is not None:
            return target.chosen(seen.tag(session, order.job.name))
        return target

    def _run(self, session: Session, order: Order, target: Target) -> Run:
        """The run without its build."""
        context, job, turn, locks = order.context, order.job, order.turn, order.overlap.locks
        run = Run(
            key=order.key,
            name="",
            job=job.name,
            definition=job.model_dump(mode="json"),
            parameters=dict(order.parameters),
            arguments=list(order.arguments),
            repository=target.repository,
            public=target.public,
            cause=context.cause,
            actor=context.actor,
            rerun_of=order.repeated.number if order.repeated is not None else None,
            chain=None if order.follows is None else order.follows.chain or order.follows.number,
            follows=None if order.follows is None else order.follows.number,
            tick_at=order.tick_at,
            schedule=order.schedule,
            pull_request=order.pull_request,
            environment=order.environment,
            override=order.override,
            occurrence=order.occurrence,
            tail=[],  # pydantic takes a third of all this time to make an empty list of its own
            lock=locks[0] if locks else None,
            locks=list(locks) if len(locks) > 1 else None,
            concurrency=turn.word,
            at_most=turn.limit,
            queue=turn.queue,
            over=turn.over,
            version=self._version(session, order),
            created_at=self._clock(),
        )
        if (source := target.source) is not None:
            run.image, run.ref, run.commit = source.image.name, source.ref, source.commit
        elif target.ready is not None:
            run.image, run.image_definition, run.digest = target.ready.name, target.definition, target.digest
        self._hold(run, order)
        return run

    def _hold(self, run: Run, order: Order) -> None:
        """Let it wait for its time, and then for the yes that it needs."""
        approval = approval_requests.needed(order.overlap, run.parameters)
        if approval is not None:
            run.approval = approval_requests.requested(order, run, approval)
        if order.not_before is not None:
            holds.Holding(Hold.TIME, order.not_before, on={"moment": order.not_before}).put(run)
        elif approval is not None:
            approval_requests.holding(run, now=self._clock()).put(run)

    def _version(self, session: Session, order: Order) -> int | None:
        if order.version is not None:
            return order.version
        job = order.job
        version = self._registry.version(job)  # which has turned a page since, perhaps
        return version or versions.find(session, job.name, job.model_dump(mode="json"))

    def need_build(self, session: Session, context: RequestContext, target: Target) -> Build:
        """Store that the image is wanted from that commit, unless it is built, and tell how it goes."""
        source = target.source
        if source is None:
            raise ValueError("only an image can be built")
        jobs = self._registry.catalog.jobs_of_image(source.image.name)
        github = not jobs or any(job.notify.github for job in jobs)
        build = self._build(session, context, target, source)
        channels = (job.notify for job in jobs if job.notify.tells_failures)
        cards = self._cards.of(context, target, f"build:{build.image}", github=github, channels=channels)
        posts.add_cards(session, cards, build=build.identity)
        return build

    def _build_for(self, session: Session, order: Order, target: Target, source: Source) -> Build:
        """The build that a run needs, told on the commit while it is not done: its end may be the run's."""
        build = self._build(session, order.context, target, source)
        if build.state != State.FINISHED and order.job.notify.github:
            posts.add_cards(session, self._cards.commit(target), build=build.identity)
        return build

    def _build(self, session: Session, context: RequestContext, target: Target, source: Source) -> Build:
        now = self._clock()
        build = Build(
            key="",
            name="",
            image=source.image.name,
            repository=target.repository or source.image.repository or "",
            ref=source.ref,
            commit=source.commit,
            definition=source.image.recipe,
            public=target.public,
            cause=context.cause,
            actor=context.actor,
            created_at=now,
        )
        rule = rule_of(context, repository=target.repository)
        return builds.need(session, build, now=now, nonce=self._nonce(), rule=rule)
