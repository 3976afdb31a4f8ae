"""What becomes of a run that waits for a yes: it is released once all is as it was asked for, or ended.

Looked at after each yes, when something happens to what a yes is bound to (see `bot.store.reviews`), and
when its time is over. What anybody has to be asked is asked first; one transaction then decides, once,
whoever else looks at the same time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import AskerError, Refused
from bot.handlers.approvals import Approvers, void
from bot.handlers.askers import Askers
from bot.handlers.bindings import BindingReview, Change, Inquiry, bound
from bot.handlers.preconditions import Reason
from bot.states import APPROVAL_EXPIRED, NOT_RELEASED, EntryKind, Hold
from bot.store import Session, Store, approvals, holds, journal, reviews, runs
from bot.store.transitions import RUNS
from bot.tables import Approval, JournalEntry, Run
from executor.spec import Outcome, Result

Release = Callable[[Session, int, Hold], Run | None]
"""Lets a held run through to the gate, or ends it where its job may not start now."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was asked before a run is released: which of its `counting` yeses count (ids), and what is not so.

    `refusal` is why who asked for it may not have it any more.
    """

    counting: frozenset[int]
    lost: frozenset[int]
    refusal: Reason | None


class ApprovalReleases:
    """Decides about runs that wait for a yes."""

    def __init__(
        self, approvers: Approvers, askers: Askers, review: BindingReview, store: Store, release: Release
    ) -> None:
        self._approvers = approvers
        self._askers = askers
        self._review = review
        self._store = store
        self._release = release

    def inquiry(self) -> Inquiry:
        """What is asked from now on, for all that are looked at together."""
        return self._review.inquiry()

    async def look(self, run: Run, now: float, inquiry: Inquiry) -> None:
        """Decide, or put off until its time is over; `RetryLater` where somebody cannot be asked now."""
        number = run.identity
        if run.approval is None or (run.hold_until or 0.0) <= now:
            await self._store.write(lambda session: self._expire(session, number, now))
            return
        if run.image_definition is not None and run.digest is None:
            await self._settle_image(run, now)
            return
        rows = await self._store.read(lambda session: approvals.of_run(session, number))
        yeses = [row for row in rows if row.verdict == approvals.YES]
        enough = len(yeses) >= run.approval["count"]
        changes = await self._changes(run, inquiry, is_needed=enough)
        if changes or not enough:
            await self._store.write(lambda session: self._wait(session, run, changes, now))
            return
        findings = await self._ask(run, yeses)
        await self._store.write(lambda session: self._decide(session, run, findings, now))

    async def _changes(self, run: Run, inquiry: Inquiry, *, is_needed: bool) -> Sequence[Change]:
        """What has changed since; nothing where nobody may know, unless that is needed to go on."""
        try:
            return await self._review.changes(run, inquiry)
        except Refused:
            if is_needed:
                raise
            return []

    async def _settle_image(self, run: Run, now: float) -> None:
        """A yes is to an image that is known exactly; what can be had from nowhere ends the run."""
        outcome, number = await self._review.pinned(run), run.identity

        def store(session: Session) -> None:
            if outcome.result is not Result.SUCCEEDED or outcome.image is None:
                _fail(session, number, outcome, now)
                return
            found = RUNS.change(session, number, holds.held_by(Hold.APPROVAL), digest=outcome.image)
            if found is not None and found.image is not None:
                reviews.of_image(session, found.image, outcome.image, now=now)
            self._wait(session, run, [], now)

        await self._store.write(store)

    async def _ask(self, run: Run, yeses: Sequence[Approval]) -> Findings:
        refusal: Reason | None = None
        try:
            await self._askers.require(run)
        except AskerError as error:
            refusal = error.reason
        counting, people = set[int](), set[str]()
        for row in yeses:
            person = self._askers.person(row.actor)
            if row.bound == bound(run) and person not in people and await self._may_still(run, row):
                counting.add(row.id or 0)
                people.add(person)
        return Findings(
            frozenset(counting),
            frozenset((row.id or 0) for row in yeses) - counting,
            refusal,
        )

    async def _may_still(self, run: Run, row: Approval) -> bool:
        """Whether who said yes may still say it."""
        context = await self._askers.context(row.actor, row.cause, f"yes:{row.id}")
        if context is None:
            return False
        try:
            await self._approvers.require(context, run)
        except AskerError:
            return False
        return True

    def _decide(self, session: Session, seen: Run, findings: Findings, now: float) -> None:
        run = self._unchanged(session, seen, now)
        if run is None or run.approval is None:
            return
        if bound(run) != bound(seen):
            void(session, run, self._review.account(run, []), now=now)
            return
        approvals.lose(session, findings.lost)
        yeses = [row for row in approvals.of_run(session, run.identity) if row.verdict == approvals.YES]
        counting = [row for row in yeses if row.id in findings.counting]
        if len(counting) < run.approval["count"]:
            due = now if len(yeses) > len(counting) else (run.hold_until or 0.0)  # some came in meanwhile
            approvals.note(session, run, yeses, due_at=due)
            holds.wake_all(session)
            return
        if findings.refusal is not None:
            holds.end(session, run.identity, Hold.APPROVAL, now=now, reason=NOT_RELEASED, on=findings.refusal)
            return
        approvals.note(session, run, counting, released=now)
        self._release(session, run.identity, Hold.APPROVAL)

    def _wait(self, session: Session, seen: Run, changes: Sequence[Change], now: float) -> None:
        """Nothing to decide before somebody says yes, something happens or its time is over."""
        run = self._unchanged(session, seen, now, changes)
        if run is None or run.approval is None:
            return
        yeses = [row for row in approvals.of_run(session, run.identity) if row.verdict == approvals.YES]
        if len(yeses) < run.approval["count"]:
            holds.look_at(session, run.identity, Hold.APPROVAL, at=(run.hold_until or 0.0))

    def _unchanged(
        self, session: Session, seen: Run, now: float, changes: Sequence[Change] = ()
    ) -> Run | None:
        """The run where it waits as it was `seen`, and there is nothing else to look at before.

        What has changed voids it. What happened since it was seen has made it due anew.
        """
        approvals.hold(session)
        run = runs.get(session, seen.identity)
        if run is None or run.hold != Hold.APPROVAL or run.approval is None:
            return None
        change = self._review.definition_change(run)
        if change is not None or changes:
            void(session, run, self._review.account(run, [change] if change else changes), now=now)
            return None
        if self._review.is_behind(session):
            holds.look_at(session, run.identity, Hold.APPROVAL, at=now)
            return None
        return run if run.due_at == seen.due_at else None

    def _expire(self, session: Session, number: int, now: float) -> None:
        run = runs.get(session, number)
        if run is None or run.hold != Hold.APPROVAL:
            return
        on = {
            "whose": (run.waiting_on or {}).get("whose", ""),
            "given": (run.approval or {}).get("given", []),
        }
        ended = holds.end(session, number, Hold.APPROVAL, now=now, reason=APPROVAL_EXPIRED, on=on)
        if ended is not None:
            _journal(session, EntryKind.APPROVAL_EXPIRED, ended, now, {"whose": on["whose"]})


def _fail(session: Session, number: int, outcome: Outcome, now: float) -> None:
    facts: dict[str, Any] = {"reason": outcome.reason, "message": outcome.message}
    RUNS.end_unbegun(session, number, holds.held_by(Hold.APPROVAL), now=now, **facts)


def _journal(session: Session, kind: EntryKind, run: Run, now: float, facts: dict[str, object]) -> None:
    entry = JournalEntry(
        at=now,
        kind=kind,
        actor=run.actor,
        subject=f"run:{run.number}",
        job=run.job,
        run=run.number,
        repository=run.repository,
        facts=facts,
    )
    journal.record(session, [entry])
