"""What a thing that happened starts: the jobs of its repository whose `on` it fits, and what it ends.

Nobody's permission is asked, as for pushes: whoever runs the installation wrote down what starts what.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot import messages
from bot.catalog.catalog import Job
from bot.catalog.concurrency import keeps_only_newest
from bot.catalog.triggers import OnPullRequest
from bot.errors import AskerError
from bot.events import Occurrence
from bot.handlers.authorization import RequestContext
from bot.handlers.cards import CardTargets
from bot.handlers.decisions import Decision, ignored
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.occurrence_commits import Commit, OccurrenceCommits, Skipped
from bot.handlers.orders import Order, Source, Target
from bot.handlers.start import StartRequest, values_of
from bot.registry import Registry
from bot.states import ActorKind, Cause
from bot.store import Session, occurrences, posts, runs
from bot.store.journal_entries import Grounds
from bot.tables import Delivery, OccurrenceSeen, Post
from bot.text.globs import matches

Reason = dict[str, Any]
"""A `kind` and what it speaks of, as it is stored; empty where nothing stood in the way."""

CAUSES: Mapping[str, Cause] = {
    "deployment": Cause.DEPLOYMENT,
    "deployment_status": Cause.DEPLOYMENT_STATUS,
    "deployment_protection_rule": Cause.PROTECTION_RULE,
    "release": Cause.RELEASE,
    "push": Cause.PUSH,
    "pull_request": Cause.PULL_REQUEST,
    "workflow_run": Cause.WORKFLOW,
    "merge_group": Cause.MERGE_GROUP,
    "repository_dispatch": Cause.DISPATCH,
}
"""By the name of the event."""

_ENDING = ("synchronize", "closed")
"""What ends the runs that a pull request started before, of jobs that say so."""
_NOT_HERE = "It runs for pull requests and not for the merge queue, so nothing stands in the way here."


@dataclass(frozen=True, slots=True)
class Concerned:
    """The jobs that something starts, those whose runs it ends, and those whose check alone is awaited."""

    starts: Sequence[Job] = ()
    ends: Sequence[Job] = ()
    answers: Sequence[Job] = ()

    @property
    def first(self) -> Job | None:
        """Any of them, None where nothing is to be done."""
        return next(iter((*self.starts, *self.ends, *self.answers)), None)


class OccurrenceHandler:
    """Decides about everything that happens in repositories besides pushes and comments."""

    def __init__(
        self,
        registry: Registry,
        commits: OccurrenceCommits,
        enqueuer: Enqueuer,
        cards: CardTargets,
    ) -> None:
        self._registry = registry
        self._commits = commits
        self._enqueuer = enqueuer
        self._cards = cards

    async def decide(self, delivery: Delivery, happened: Occurrence) -> Decision:
        """Ask GitHub whose commit it is, where it does not say; what is to start is started once."""
        head, catalog = f"{happened.subject} in {happened.repository}", self._registry.catalog
        concerned, why = self._concerned(happened), self._unheard(happened)
        job = concerned.first
        if why is not None or job is None:
            return ignored(f"{head}: {why or 'no job names it in `on`'}")
        commit = await self._commits.of(happened, catalog.image(job.image or ""))
        rows: list[OccurrenceSeen] = []

        def effect(session: Session) -> None:
            rows.clear()
            row = _seen(delivery, happened)
            if occurrences.place(session, row):
                rows.append(row)
                if not happened.echoes or not occurrences.is_echo(session, row, happened.echoes):
                    posts.add(session, self._settle(session, row, happened, concerned, commit))

        return Decision(
            True,
            effect,
            lambda: messages.occurrence_note(head, rows[0] if rows else None),
            lambda: any(any(row.decisions.values()) for row in rows),
        )

    def _unheard(self, happened: Occurrence) -> str | None:
        """Why nothing is done, whatever the jobs say."""
        config = self._registry.config
        if not config.allows(happened.repository):
            return "the repository may not talk to this installation"
        api = config.github.api_url if config.github is not None else ""
        if happened.callback and happened.callback.casefold().rstrip("/") != api.casefold().rstrip("/"):
            return "its callback is not on the API that `github.api_url` names, so nothing was started"
        return None

    def _concerned(self, happened: Occurrence) -> Concerned:
        """The jobs of the repository's images that it is about."""
        catalog = self._registry.catalog
        images = [image.name for image in catalog.images_of(happened.repository)]
        jobs = [job for job in catalog.jobs.values() if job.image in images]
        starts = [job for job in jobs if job.starts_by(happened) and not self._follows_push(job, happened)]
        ends = happened.event == "pull_request" and happened.facts["action"] in _ENDING
        return Concerned(
            starts=starts,
            ends=[job for job in jobs if job.cancel_with == "pull_request"] if ends else (),
            answers=[job for job in jobs if job not in starts and _is_awaited(job)]
            if happened.event == "merge_group"
            else (),
        )

    def _follows_push(self, job: Job, happened: Occurrence) -> bool:
        """Whether the push of a tag starts the job anyhow, after it has built the image."""
        build = self._registry.catalog.image(job.image or "").build
        if happened.event != "push" or "push" not in job.on or build is None:
            return False
        return any(matches(pattern, happened.ref.removeprefix("tags/")) for pattern in build.tags)

    def _settle(
        self,
        session: Session,
        row: OccurrenceSeen,
        happened: Occurrence,
        concerned: Concerned,
        commit: Commit,
    ) -> list[Post]:
        """The transaction: what it started before ends, jobs start, and whoever waits is answered."""
        repository = self._registry.catalog.spelling(happened.repository)
        names = [job.name for job in concerned.ends]
        for number in occurrences.runs_to_end(session, row, repository, names) if names else ():
            runs.request_stop(
                session,
                number,
                by=ActorKind.GITHUB.named(happened.sender),
                now=row.received_at,
                grounds=Grounds("cancel_with: pull_request", CAUSES[happened.event]),
            )
        cards: list[Post] = []
        decisions: dict[str, Reason] = {}
        for job in concerned.starts:
            order = self._order(row, happened, job, commit)
            decisions[job.name] = self._start(session, row, order, happened, commit)
            cards += self._verdict(order.target, job, happened, commit, decisions[job.name])
        for job in concerned.answers:
            target = self._order(row, happened, job, commit).target
            cards += self._cards.verdict(target, job.name, "neutral", _NOT_HERE, row.key)
        row.decisions = decisions
        return cards + (self._cards.occurrence(row, repository) if any(decisions.values()) else [])

    def _start(
        self, session: Session, row: OccurrenceSeen, order: Order, happened: Occurrence, commit: Commit
    ) -> Reason:
        """Enqueue a run; gives why there is none."""
        try:
            if commit.refusal is not None:
                raise commit.refusal
            order = replace(order, parameters=values_of(order.job, StartRequest(happened.parameters)))
        except AskerError as refusal:
            return refusal.reason
        if order.job.cancel_with == "pull_request" and occurrences.is_over(session, row):
            return {"kind": "over"}
        if keeps_only_newest(order.job.concurrency) and occurrences.is_superseded(session, row):
            return {"kind": "superseded"}
        try:
            self._enqueuer.enqueue(session, order)
        except AskerError as refusal:
            return refusal.reason
        return {}

    def _verdict(
        self, target: Target, job: Job, happened: Occurrence, commit: Commit, why: Reason
    ) -> list[Post]:
        """The check of a job that does not run, where GitHub waits for it or somebody wonders."""
        if not why or not job.notify.github:
            return []
        if isinstance(commit.refusal, Skipped):
            title = f"Skipped: {messages.reason(why)}."
            return self._cards.verdict(target, job.name, "neutral", title, happened.key)
        if happened.event == "merge_group":
            title = f"Not started: {messages.reason(why)}"
            return self._cards.verdict(target, job.name, "failure", title, happened.key)
        return []

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
        return Order(context, 0, job, target, {})


def _is_awaited(job: Job) -> bool:
    """Whether a check of the job may be required of pull requests, which the merge queue waits for then."""
    return job.notify.github and any(isinstance(each, OnPullRequest) for each in job.on)


def _seen(delivery: Delivery, happened: Occurrence) -> OccurrenceSeen:
    """What happened as it is stored."""
    return OccurrenceSeen(
        repository=happened.repository.casefold() if happened.number is None else str(happened.number),
        key=happened.key,
        event=happened.event,
        subject=happened.subject,
        environment=happened.environment or None,
        deployment=happened.deployment,
        review=happened.review,
        pull=happened.pull,
        at=happened.at or None,
        payload=happened.payload,
        delivery_id=delivery.identity,
        received_at=delivery.received_at,
    )
