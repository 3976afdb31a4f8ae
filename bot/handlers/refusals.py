"""What is refused over HTTP, by the API and on pages, is told in the journal: it has no transaction to be in.

The same no to the same asker is told once in `KEPT` seconds, so that who may nothing costs the database
nothing; how many are told in a day is for the journal to say.
"""

from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from bot.errors import RetryLater
from bot.states import EntryKind
from bot.store import Store, journal
from bot.tables import JournalEntry

KEPT = 60.0
"""Seconds for which a refusal is remembered."""
_MOST = 4096
"""Refusals that are remembered."""


class RefusalJournal:
    """One for the process."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._told_at: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    async def tell(self, row: JournalEntry) -> None:
        """Tell of it, unless it was told a moment ago; while the database is away it is not told at all."""
        key, now = (row.actor, row.subject, row.rule or ""), self._clock()
        if now - self._told_at.get(key, float("-inf")) < KEPT:
            return
        self._told_at[key] = now
        self._told_at.move_to_end(key)
        while len(self._told_at) > _MOST:
            self._told_at.popitem(last=False)
        with suppress(RetryLater):
            await self._store.write(lambda session: journal.refuse(session, [row]))

    def entry(
        self, actor: str, subject: str, rule: str, *, cause: str | None = None, job: str | None = None
    ) -> JournalEntry:
        """What is told: who was refused what, by which rule."""
        return JournalEntry(
            at=self._clock(),
            kind=EntryKind.REFUSED,
            actor=actor,
            cause=cause,
            subject=subject,
            job=job,
            rule=rule,
        )
