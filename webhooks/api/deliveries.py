"""Deliveries that were given up, for admins: what they were, why, and trying one again."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

import structlog

from bot.errors import ProblemType
from bot.states import EntryKind
from bot.store import Session, Store, deliveries, journal
from bot.store.journal_entries import of_admin
from webhooks.api import queries
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import Problem
from webhooks.api.shapes import Moment, Shape, Url, one_of

log = structlog.get_logger()


class Delivery(Shape):
    """A delivery that was given up, without what it holds: its `key` is what GitHub or Slack call it."""

    number: int
    key: str
    source: Annotated[str, one_of("github", "slack", "chain")]
    event: str
    received_at: Moment
    note: str | None


class Deliveries(Shape):
    """Those that were given up, newest first; `next` is the address of the next page."""

    deliveries: list[Delivery]
    next: Url | None


class DeliveryHandlers:
    """Whoever gets here is an admin."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    async def list_deliveries(self, request: ApiRequest) -> Deliveries:
        """Deliveries of GitHub and Slack that were given up, newest first."""
        query = dict(request.query)
        limit, before = queries.number(query, "limit") or 50, queries.number(query, "before")
        rows = await self._store.read(lambda s: deliveries.given_up(s, limit=limit + 1, before=before))
        more = None
        if len(rows) > limit:
            more = f"/api/deliveries?{urlencode(query | {'before': str(rows[limit - 1].number)})}"
        return Deliveries.of(deliveries=rows[:limit], next=more)

    async def retry_delivery(self, request: ApiRequest) -> None:
        """Has a delivery that was given up decided anew; nothing that came of it is done twice."""
        by, now = request.visitor.caller.name, self._clock()
        if not await retry(self._store, request.number, by=by, now=now):
            raise Problem(404, "No such delivery was given up.", kind=ProblemType.NO_SUCH_DELIVERY)


async def retry(store: Store, number: int, *, by: str, now: float) -> bool:
    """Have a delivery decided anew; False where none of that number was given up. `by` is an admin."""

    def again(session: Session) -> bool:
        found = deliveries.again(session, number)
        if found:
            entry = of_admin(EntryKind.DELIVERY_RETRIED, by, f"delivery:{number}", now)
            journal.record(session, [entry])
        return found

    found = await store.write(again)
    if found:
        log.info("delivery.again", number=number, by=by)
    return found
