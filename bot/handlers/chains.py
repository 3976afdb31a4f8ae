"""What follows a run that has succeeded: each job by its own rules, for who asked for the first one.

The network is asked first; one transaction then stores the runs that follow, what keeps others from it, and
that this is decided.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.catalog import chains
from bot.catalog.catalog import Job
from bot.catalog.chains import Then
from bot.errors import AskerError, NotAllowed
from bot.handlers.askers import Askers
from bot.handlers.authorization import RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.journal import refused_by
from bot.handlers.orders import Order, Source, Target
from bot.handlers.places import GitHubPlace
from bot.handlers.requirements import RequirementHandler
from bot.handlers.resolution import TargetResolver
from bot.handlers.settlement import Settlement
from bot.handlers.start import StartRequest, values_of
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import Cause, EntryKind
from bot.store import Session, Store, journal, runs
from bot.store import chains as stored_chains
from bot.tables import Delivery, JournalEntry, Run
from bot.text import refs
from bot.text.wording import quoted

log = structlog.get_logger()

Reason = dict[str, Any]


class ChainTargets:
    """Makes the order of a run that follows another one; asks the network, writes nothing."""

    def __init__(
        self,
        registry: Registry,
        askers: Askers,
        resolver: TargetResolver,
        requirements: RequirementHandler,
        host: CodeHost,
    ) -> None:
        self._registry = registry
        self._askers = askers
        self._resolver = resolver
        self._requirements = requirements
        self._host = host

    async def order(self, run: Run, first: Run, then: Then, index: int) -> Order:
        """That of one job; `AskerError` where it does not start. `first` is the first run of the chain."""
        job = self._registry.catalog.job(then.job)
        values = values_of(job, StartRequest(then.parameters))
        if refs.is_of_fork(run.ref) or refs.is_pull(run.ref or ""):
            raise NotAllowed(f"Nothing follows a run of a fork's code, so {quoted(job.name)} is not started.")
        context = await self._askers.admitted(first, job, f"{stored_chains.SOURCE}:{run.number}")
        target = await self._target(context, run, job)
        await self._requirements.require(await self._place(context, run, job), job, target)
        context = replace(context, cause=Cause.CHAIN, place=None)
        return Order(context, index, job, target, values, follows=run)

    async def _target(self, context: RequestContext, run: Run, job: Job) -> Target:
        """The same commit or image where that can be, else what anybody would get who named none."""
        image = None if job.image is None else self._registry.catalog.image(job.image)
        if image is None:
            return Target(run.repository, run.public, follows=True)
        repository = run.repository or ""
        if run.commit is not None and (image.repository or "").casefold() == repository.casefold():
            if not self._registry.config.allows(repository):
                raise NotAllowed(f"Jobs of {quoted(repository)} are not run here.")
            about = await self._host.about(repository)
            return Target(repository, not about.private, Source(image, run.commit, run.ref))
        if run.image_definition is not None and run.image == job.image:
            return await self._resolver.same_target(context, run, run.repository)
        target = await self._resolver.target(context, job.image, None)
        if target.repository is None:
            return replace(target, repository=run.repository, public=run.public)
        return target

    async def _place(self, context: RequestContext, run: Run, job: Job) -> RequestContext:
        """As if it was asked for in the pull request of the run, of which something may be required."""
        if not job.requires or run.pull_request is None or run.repository is None:
            return replace(context, place=None)
        pull = await self._host.required.pull(run.repository, run.pull_request)
        return replace(context, place=GitHubPlace(run.repository, run.pull_request, pull, run.public))


@dataclass(frozen=True, slots=True)
class NotFollowing:
    """Why a job does not follow, and which rule says no; None: none does, it just cannot start."""

    why: Reason
    rule: str | None = None

    @classmethod
    def of(cls, error: AskerError) -> "NotFollowing":
        """What is kept of a refusal."""
        return cls(error.reason, refused_by(error))


class ChainHandler:
    """Decides what follows a run, once."""

    def __init__(
        self,
        targets: ChainTargets,
        enqueuer: Enqueuer,
        store: Store,
        settlement: Settlement,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._targets = targets
        self._enqueuer = enqueuer
        self._store = store
        self._settlement = settlement

    async def handle(self, delivery: Delivery) -> None:
        """Start what follows; `RetryLater` where somebody cannot be asked now."""
        number = _number(delivery)
        run, first, before, size = await self._store.read(lambda session: _known(session, number))
        if run is None or first is None:
            await self._settlement.settle(delivery, "ignored", f"run #{number} is not kept any more")
            return
        entries = chains.of_definition(run.definition)
        found = [
            await self._prepared(run, first, then, index, before, size) for index, then in enumerate(entries)
        ]
        lines: list[str] = []

        def effect(session: Session) -> None:
            lines[:] = []
            started = [self._start(session, what) for what in found]
            followed = [_followed(then, what) for then, what in zip(entries, started, strict=True)]
            stored_chains.settle(session, number, followed)
            refused = [
                self._refused(run, then, what)
                for then, what in zip(entries, started, strict=True)
                if isinstance(what, NotFollowing) and what.rule is not None
            ]
            journal.refuse(session, refused)
            lines.extend(_line(each) for each in followed)
            note = "\n".join([f"#{number} succeeded", *lines])
            self._settlement.close(session, delivery, "handled", note)

        await self._settlement.write(effect)
        refused = any("run" not in line for line in lines)
        self._settlement.log(
            delivery, "handled", "\n".join([f"#{number} succeeded", *lines]), problem=refused
        )

    async def give_up(self, delivery: Delivery, why: str) -> None:
        """Say with the run that nothing follows it, since that could not be decided."""
        number = _number(delivery)
        run = await self._store.read(lambda session: runs.get(session, number))
        if run is None or run.followed is not None:
            return
        reason = {"kind": "answer", "text": why}
        entries = chains.of_definition(run.definition)
        followed = [{"job": then.job, "why": reason} for then in entries]
        await self._store.write(lambda session: stored_chains.settle(session, number, followed))

    async def _prepared(
        self, run: Run, first: Run, then: Then, index: int, before: Sequence[str], size: int
    ) -> Order | NotFollowing:
        """The order of what follows, or why there is none."""
        if then.job in before:  # by definitions that were changed meanwhile
            return NotFollowing({"kind": "circle", "jobs": [*reversed(before), then.job]})
        if len(before) >= chains.LONGEST or size + index >= stored_chains.MOST:
            return NotFollowing({"kind": "long_chain"})
        try:
            return await self._targets.order(run, first, then, index)
        except AskerError as error:
            return NotFollowing.of(error)

    def _start(self, session: Session, what: Order | NotFollowing) -> Run | NotFollowing:
        if isinstance(what, NotFollowing):
            return what
        try:
            return self._enqueuer.enqueue(session, what)
        except AskerError as refusal:
            return NotFollowing.of(refusal)

    def _refused(self, run: Run, then: Then, what: NotFollowing) -> JournalEntry:
        return JournalEntry(
            at=self._clock(),
            kind=EntryKind.REFUSED,
            actor=run.actor,
            cause=Cause.CHAIN,
            subject=f"job:{then.job}",
            job=then.job,
            run=run.number,
            repository=run.repository,
            rule=what.rule,
            facts={"verb": "then", "reason": what.why, "follows": run.number},
        )


def _followed(then: Then, what: Run | NotFollowing) -> Reason:
    """What became of it, as it is stored with the run before."""
    if isinstance(what, NotFollowing):
        return {"job": then.job, "why": what.why}
    return {"job": then.job, "run": what.number}


def _known(session: Session, number: int) -> tuple[Run | None, Run | None, list[str], int]:
    run = runs.get(session, number)
    if run is None:
        return None, None, [], 0
    first = run if run.chain is None else runs.get(session, run.chain)
    return run, first or run, stored_chains.jobs_before(session, run), stored_chains.size(session, run)


def _number(delivery: Delivery) -> int:
    return int(json.loads(delivery.body)["run"])


def _line(followed: Reason) -> str:
    started = "run" in followed
    return f"job {followed['job']}: {'run #' + str(followed['run']) if started else 'not started'}"
