"""Idempotency keys of callers: the same request with the same key gives the run it gave, whatever changed.

See docs/api.md. A key is each caller's own and is kept for `KEEP_KEYS`.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.access.callers import Caller
from bot.errors import NotAllowed
from bot.handlers.start import StartResult
from bot.store import Session, Store, idempotency, runs
from bot.store.idempotency import KEEP_KEYS
from bot.tables import Idempotency, Run


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request as far as its repetition is concerned. `key` None: every request is another one."""

    caller: Caller
    key: str | None
    fingerprint: str


def fingerprint(verb: str, subject: str, content: Mapping[str, object]) -> str:
    """What a request says, in 64 characters."""
    text = json.dumps([verb, subject, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Repeats:
    """Knows which run a request gave before."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def known(self, request: KeyedRequest) -> StartResult | None:
        """The run that the same request gave before; `NotAllowed` where its key was another request's."""
        if request.key is None:
            return None
        return await self._store.read(lambda s: self._before(s, request, request.key or ""))

    async def write(
        self, request: KeyedRequest, enqueue: Callable[[Session], Run], check: Callable[[Session], None]
    ) -> StartResult:
        """Enqueue in one transaction, unless the same request has; `check` raises where that may not be."""

        def write(session: Session) -> StartResult:
            check(session)
            if request.key is None:
                return StartResult(enqueue(session), True)
            idempotency.hold(session)
            if (earlier := self._before(session, request, request.key)) is not None:
                return earlier
            run = enqueue(session)
            row = Idempotency(
                caller=request.caller.name,
                key=request.key,
                fingerprint=request.fingerprint,
                run_number=run.identity,
                created_at=self._clock(),
            )
            idempotency.remember(session, row)
            return StartResult(run, True)

        return await self._store.write(write)

    def _before(self, session: Session, request: KeyedRequest, key: str) -> StartResult | None:
        row = idempotency.find(session, request.caller.name, key, since=self._clock() - KEEP_KEYS)
        if row is None:
            return None
        if row.fingerprint != request.fingerprint:
            raise NotAllowed("This Idempotency-Key was used for another request; choose a new one.")
        run = None if row.run_number is None else runs.get(session, row.run_number)
        if run is None or not request.caller.may_run(run.job):
            raise NotAllowed(f"The run of this Idempotency-Key, #{row.run_number}, was removed since.")
        return StartResult(run, False)
