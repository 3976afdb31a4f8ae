"""What becomes of a held run whose moment has come: it is released, or ended with what it is owed to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.catalog.catalog import Job
from bot.errors import AskerError
from bot.handlers import approval_requests, preconditions
from bot.handlers.askers import Askers
from bot.handlers.bindings import Inquiry
from bot.handlers.releases import ApprovalReleases
from bot.registry import Registry
from bot.states import NOT_RELEASED, Hold
from bot.store import Session, Store, holds
from bot.store.holds import Holding
from bot.tables import Run

LOOK = 300.0
"""Seconds after which a run that a freeze holds back is looked at again."""


class Gatekeeper:
    """Lets held runs through, each in a transaction that does it once, whoever else looks as well."""

    def __init__(self, registry: Registry, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock

    def release(self, session: Session, number: int, kind: Hold) -> Run | None:
        """Let it through to the gate, or end it where it may not start now; None where `kind` holds it not.

        What stands in the way is asked anew: it was another time when it was asked for. What waited for its
        time may need somebody's yes from then on, and is looked at for what has changed meanwhile.
        """
        run, now = session.get(Run, number), self._clock()
        if run is None or run.hold != kind:
            return None
        rules = self._registry.catalog.jobs.get(run.job) or Job.frozen(run.definition)
        why = preconditions.refusal(
            session, preconditions.Candidate(rules, self._registry.config.calendar, run=run), now=now
        )
        if why is not None:
            return holds.end(session, number, kind, now=now, reason=NOT_RELEASED, on=why)
        if kind is not Hold.APPROVAL and run.approval is not None:
            holding = approval_requests.holding(run, now=now)
            return holds.hold_again(session, number, kind, replace(holding, due_at=now))
        return holds.release(session, number, kind, now=now)

    def thaw(self, session: Session, number: int) -> Run | None:
        """Let a run go on that a freeze held back, or hold it until the next look where one is on still."""
        run, now = session.get(Run, number), self._clock()
        if run is None or run.hold != Hold.FREEZE:
            return None
        rules = self._registry.catalog.jobs.get(run.job) or Job.frozen(run.definition)
        candidate = preconditions.Candidate(rules, self._registry.config.calendar, run=run)
        why = preconditions.frozen(session, candidate, now)
        if why is None:
            return holds.release(session, number, Hold.FREEZE, now=now)
        return holds.hold_again(session, number, Hold.FREEZE, frozen_until(why, now))


def frozen_until(why: Mapping[str, Any], now: float) -> Holding:
    """What holds a run while a freeze is on; looked at now and then, since the file may be changed."""
    until = why.get("until")
    due_at = now + LOOK if until is None else min(until, now + LOOK)
    return Holding(Hold.FREEZE, due_at, until, why)


class HoldHandler:
    """Decides about held runs whose moment has come."""

    def __init__(
        self,
        gatekeeper: Gatekeeper,
        askers: Askers,
        approvals: ApprovalReleases,
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        self._gatekeeper = gatekeeper
        self._askers = askers
        self._approvals = approvals
        self._store = store
        self._clock = clock

    async def look(self, run: Run, inquiry: Inquiry | None = None) -> None:
        """The moment of a held run has come; `RetryLater` where nothing can be decided about it now.

        Runs that are looked at together share an `inquiry`.
        """
        if run.hold == Hold.APPROVAL:
            await self._approvals.look(run, self._clock(), inquiry or self.inquiry())
        elif run.hold == Hold.TIME:
            await self._begin(run)
        elif run.hold == Hold.FREEZE:
            await self._store.write(lambda session: self._gatekeeper.thaw(session, run.identity))

    def inquiry(self) -> Inquiry:
        """What is asked from now on, for all that are looked at together."""
        return self._approvals.inquiry()

    async def _begin(self, run: Run) -> None:
        """Who asked for it has to have the right still."""
        number = run.identity
        try:
            await self._askers.require(run)
        except AskerError as error:
            why = error.reason
            await self._store.write(
                lambda s: holds.end(s, number, Hold.TIME, now=self._clock(), reason=NOT_RELEASED, on=why)
            )
            return
        await self._store.write(lambda s: self._gatekeeper.release(s, number, Hold.TIME))
