"""What becomes of a held run whose moment has come: it is released, or ended with what it is owed to."""

from collections.abc import Callable

import structlog

from bot.catalog.catalog import Job
from bot.handlers import preconditions
from bot.registry import Registry
from bot.states import NOT_RELEASED, Hold
from bot.store import Session, Store, holds
from bot.tables import Run

log = structlog.get_logger()


class HoldHandler:
    """Decides about held runs, each in a transaction that does it once, whoever else looks as well."""

    def __init__(self, registry: Registry, store: Store, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock

    async def look(self, run: Run) -> None:
        """The moment of a held run has come."""
        number = run.identity
        if run.hold == Hold.TIME:
            await self._store.write(lambda session: self.release(session, number, Hold.TIME))

    def release(self, session: Session, number: int, kind: Hold) -> Run | None:
        """Let it through to the gate, or end it where it may not start now; None where `kind` holds it not.

        What stands in the way is asked anew: it was another time when it was asked for.
        """
        run, now = session.get(Run, number), self._clock()
        if run is None or run.hold != kind:
            return None
        rules = self._registry.catalog.jobs.get(run.job) or Job.frozen(run.definition)
        why = preconditions.refusal(session, preconditions.Candidate(rules, run=run), now=now)
        if why is not None:
            return holds.end(session, number, kind, now=now, reason=NOT_RELEASED, on=why)
        return holds.release(session, number, kind, now=now)
