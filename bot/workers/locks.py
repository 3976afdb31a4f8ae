"""Puts admission right at the start; then opens what people locked for a time when that is over."""

from collections.abc import Callable

from bot.errors import RetryLater
from bot.store import Session, Store, admission, locks
from bot.workers import timing
from bot.workers.patience import awaken, patiently


class LockExpiry:
    """The duty of locks."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Sleep until a lock ends or another is made, until cancelled."""
        wakeup = self._store.wakeup("locks")
        await patiently("gate", lambda: self._store.write(self._sweep))
        while True:
            wakeup.clear()
            await patiently("locks", lambda: self._store.write(self._expire))
            try:
                until = await self._store.read(locks.next_expiry)
            except RetryLater:
                await awaken(wakeup, timing.SWEEP)
            else:
                await awaken(wakeup, None if until is None else max(until - self._clock(), 0.0))

    def _sweep(self, session: Session) -> None:
        admission.sweep(session, now=self._clock())

    def _expire(self, session: Session) -> None:
        locks.expire(session, now=self._clock())
