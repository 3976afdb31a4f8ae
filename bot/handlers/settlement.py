"""What becomes of a delivery: stored together with the answers, told in one line of the log."""

from collections.abc import Callable, Sequence
from typing import Literal

import structlog

from bot.registry import Registry
from bot.store import Session, deliveries, journal, posts
from bot.store.holder import LeaseHolder
from bot.tables import Delivery, JournalEntry, Post

log = structlog.get_logger()

Settled = Literal["handled", "ignored", "failed"]


class Settlement:
    """Settles deliveries that this bot claimed."""

    def __init__(self, registry: Registry, holder: LeaseHolder) -> None:
        self._registry = registry
        self._holder = holder

    async def write(self, work: Callable[[Session], None]) -> None:
        """Do `work` in one transaction, which closes the delivery as well."""
        await self._holder.store.write(work)

    async def settle(
        self,
        delivery: Delivery,
        state: Settled,
        note: str,
        answers: Sequence[Post] = (),
        refusals: Sequence[JournalEntry] = (),
        *,
        refused: bool = False,
    ) -> None:
        """In a transaction of its own, with the answers and the refusals that belong to it."""

        def settle(session: Session) -> None:
            posts.add(session, answers)
            journal.refuse(session, refusals)
            self.close(session, delivery, state, note)

        await self._holder.store.write(settle)
        self.log(delivery, state, note, problem=refused or state == "failed")

    def log(self, delivery: Delivery, state: Settled, note: str, *, problem: bool) -> None:
        """One line of what became of it, unless only problems are to be told."""
        if problem or self._registry.config.log.deliveries == "all":
            log.info("delivery.settled", key=delivery.key, state=state, note=note)

    def close(self, session: Session, delivery: Delivery, state: Settled, note: str) -> None:
        """Settle it; where another bot has it by now, `LeaseLost` undoes all that was decided with it."""
        deliveries.settle(session, delivery.identity, owner=self._holder.owner, state=state, note=note)
