"""What a thing that happened starts: the jobs of its repository whose `on` it fits.

Nobody's permission is asked, as for pushes: whoever runs the installation wrote down what starts what. But
the code of forks is run only where `forks` says so, by whichever event a commit is named.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.access import policy
from bot.catalog.catalog import Job
from bot.errors import AskerError, NotAllowed
from bot.events import Occurrence
from bot.handlers.authorization import RequestContext
from bot.handlers.cards import CardTargets
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import OF_FORK, Order, Source, Target
from bot.handlers.resolution import TargetResolver
from bot.handlers.settlement import Settlement
from bot.handlers.start import StartRequest, values_of
from bot.registry import Registry
from bot.states import ActorKind, Cause
from bot.store import Session, occurrences, posts
from bot.tables import Delivery, OccurrenceSeen, Post

Reason = dict[str, Any]
"""A `kind` and what it speaks of, as it is stored; empty where nothing stood in the way."""

CAUSES: Mapping[str, Cause] = {
    "deployment": Cause.DEPLOYMENT,
    "deployment_status": Cause.DEPLOYMENT_STATUS,
}
"""By the name of the event."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that is run, and how it is called; `refusal`: why there is none."""

    sha: str = ""
    ref: str | None = None
    refusal: AskerError | None = None


class OccurrenceHandler:
    """Decides about everything that happens in repositories besides pushes and comments."""

    def __init__(
        self,
        registry: Registry,
        resolver: TargetResolver,
        enqueuer: Enqueuer,
        settlement: Settlement,
        cards: CardTargets,
    ) -> None:
        self._registry = registry
        self._resolver = resolver
        self._enqueuer = enqueuer
        self._settlement = settlement
        self._cards = cards

    async def handle(self, delivery: Delivery, happened: Occurrence) -> None:
        """Ask GitHub whose commit it is, where it does not say; then start what is to start, once."""
        head = f"{happened.subject} in {happened.repository}"
        if not self._registry.config.allows(happened.repository):
            why = f"{head}: the repository may not talk to this installation"
            await self._settlement.settle(delivery, "ignored", why)
            return
        jobs = self._jobs(happened)
        if not jobs:
            await self._settlement.settle(delivery, "ignored", f"{head}: no job names it in `on`")
            return
        commit = await self._commit(happened, jobs)
        notes: list[str] = []

        def decide(session: Session) -> None:
            row = _seen(delivery, happened)
            notes[:] = [f"{head}: it was decided before"]
            if occurrences.place(session, row):
                row.decisions = self._start(session, row, happened, jobs, commit)
                posts.add(session, self._answers(row, happened.repository))
                notes[:] = [messages.occurrence_note(head, row)]
            self._settlement.close(session, delivery, "handled", notes[0])

        await self._settlement.write(decide)
        self._settlement.log(delivery, "handled", notes[0], problem=False)

    def _jobs(self, happened: Occurrence) -> list[Job]:
        """The jobs of the repository's images that it starts."""
        catalog = self._registry.catalog
        images = [image.name for image in catalog.images_of(happened.repository)]
        return [job for job in catalog.jobs.values() if job.image in images and job.trigger(happened)]

    async def _commit(self, happened: Occurrence, jobs: list[Job]) -> Commit:
        """Which commit it is about, and whether its code may run here."""
        catalog = self._registry.catalog
        if happened.own is not None and happened.commit:
            verdict = policy.may_build(fork=not happened.own, forks=self._registry.config.forks)
            if not verdict.allowed:
                return Commit(refusal=NotAllowed(verdict.sentence))
            fork = "" if happened.own else f"{happened.head or 'a fork'}{OF_FORK}"
            return Commit(happened.commit, f"{fork}{happened.ref or happened.commit}")
        image = catalog.image(jobs[0].image or "")
        try:
            target = await self._resolver.head(
                image, catalog.spelling(happened.repository), happened.commit or happened.ref or None
            )
        except AskerError as refusal:
            return Commit(refusal=refusal)
        source = target.source
        if source is None:
            raise LookupError("an image without a source")
        of_fork = OF_FORK in (source.ref or "")
        return Commit(source.commit, source.ref if of_fork else happened.ref or source.ref)

    def _start(
        self, session: Session, row: OccurrenceSeen, happened: Occurrence, jobs: list[Job], commit: Commit
    ) -> dict[str, Reason]:
        """Enqueue the runs; gives what became of each job."""
        decisions: dict[str, Reason] = {}
        for job in jobs:
            try:
                if commit.refusal is not None:
                    raise commit.refusal
                self._enqueuer.enqueue(session, self._order(row, happened, job, commit))
                decisions[job.name] = {}
            except AskerError as refusal:
                decisions[job.name] = refusal.reason
        return decisions

    def _order(self, row: OccurrenceSeen, happened: Occurrence, job: Job, commit: Commit) -> Order:
        image = self._registry.catalog.image(job.image or "")
        context = RequestContext(
            key=f"{row.repository}:{row.key}:{job.name}",
            cause=CAUSES[happened.event],
            actor=ActorKind.GITHUB.named(happened.sender),
            login=happened.sender,
            occurrence=row,
        )
        repository = self._registry.catalog.spelling(happened.repository)
        target = Target(repository, happened.public, Source(image, commit.sha, commit.ref))
        values = values_of(job, StartRequest(happened.parameters))
        return Order(context, 0, job, target, values)

    def _answers(self, row: OccurrenceSeen, repository: str) -> list[Post]:
        """What GitHub is told at once: that a job which it waits for could not be started."""
        if not any(row.decisions.values()):
            return []
        return self._cards.occurrence(row, repository)


def _seen(delivery: Delivery, happened: Occurrence) -> OccurrenceSeen:
    """What happened as it is stored."""
    return OccurrenceSeen(
        repository=happened.repository.casefold() if happened.number is None else str(happened.number),
        key=happened.key,
        event=happened.event,
        subject=happened.subject,
        environment=happened.environment or None,
        deployment=happened.deployment,
        pull=happened.pull,
        at=happened.at or None,
        payload=happened.payload,
        delivery_id=delivery.identity,
        received_at=delivery.received_at,
    )
