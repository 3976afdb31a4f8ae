"""Fetches the deliveries that GitHub recorded and that never came in here.

GitHub tries each once. What was sent while Errand was away, while its database was, or to an address that
nobody reaches, is asked for: at the start, and then once in a while. It has the key that it would have had at
the door, so what comes both ways is one. Of several bots one looks.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from functools import partial
from time import monotonic

import structlog

from bot import events
from bot.config.settings import Deliveries
from bot.errors import Refused, RetryLater
from bot.github import RecordedDeliveries, RecordedDelivery
from bot.store import scans
from bot.store.holder import LeaseHolder
from bot.tables import DeliveryScan
from bot.telemetry.metrics import count_delivery
from bot.workers.patience import patiently

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between two looks where `github.poll` says nothing; GitHub does not count those without news."""
PAGES = 200
"""Pages of one look, of a hundred deliveries each."""
OVERLAP = 300.0
"""Seconds that are looked at once more: GitHub's list may lag, and a delivery may still be on its way."""
LEASE = 90.0
"""Seconds for which a look is one bot's."""
ROUND = 45.0
"""Seconds after which a look ends; what is left is fetched by the next, at once."""
TRIES = 5
"""How often a delivery that GitHub does not give is asked for."""


class CatchUp:
    """The duty of what GitHub recorded; `poll` is in seconds."""

    def __init__(
        self, recorded: RecordedDeliveries, holder: LeaseHolder, kept: Deliveries, poll: float | None
    ) -> None:
        self._recorded = recorded
        self._holder = holder
        self._kept = kept
        self._pause = EVERY if poll is None else poll
        self._source = f"github:{recorded.name}"
        self._failures: Counter[int] = Counter()

    async def run(self) -> None:
        """Look, until cancelled."""
        begun = False
        while True:
            if not begun:
                await patiently("catch_up", self._begin)
                begun = True
            await patiently("catch_up", self.look)
            await asyncio.sleep(self._pause)

    async def _begin(self) -> None:
        now = self._holder.clock()
        await self._holder.store.write(lambda s: scans.begin(s, self._source, now=now))

    async def look(self) -> None:
        """Fetch what is missing, if it is this bot's to look now."""
        holder, source = self._holder, self._source
        scan = await holder.store.write(
            lambda s: scans.claim(s, source, owner=holder.owner, now=holder.clock(), lease=LEASE)
        )
        if scan is None:
            return
        mark, pause = scan.mark, self._pause
        try:
            missing, newest = await self._missing(scan)
            mark = await self._fetch(missing, scan.mark)
            if not missing or mark >= missing[-1].sent_at:
                mark = max(mark, newest)
            else:
                pause = 0.0
        except RetryLater as error:
            pause = error.delay or pause
            raise
        finally:
            number, due_at = scan.identity, holder.clock() + pause
            await holder.store.write(
                lambda s: scans.settle(s, number, owner=holder.owner, mark=mark, due_at=due_at)
            )

    async def _missing(self, scan: DeliveryScan) -> tuple[Sequence[RecordedDelivery], float]:
        """What has to be fetched, the oldest first, and when the newest of all was sent."""
        # What was ignored is soon forgotten here, and would be fetched once more.
        floor = scan.mark - min(OVERLAP, self._kept.keep_ignored / 2)
        newest, older = scan.mark, None
        found: dict[str, RecordedDelivery] = {}
        for _ in range(PAGES):
            page = await self._recorded.page(older)
            fresh = [each for each in page.deliveries if each.sent_at > floor]
            newest = max([newest, *(each.sent_at for each in fresh)])
            recent = {f"github:{each.guid}": each for each in fresh if events.is_read(each.event)}
            missing = await self._holder.store.read(partial(scans.missing, keys=recent))
            found |= {key: recent[key] for key in missing}
            older = page.older if len(fresh) == len(page.deliveries) else None
            if older is None:
                break
        else:
            log.warning("deliveries.too_many", pages=PAGES, why="older ones are not fetched")
        return sorted(found.values(), key=lambda each: each.sent_at), newest

    async def _fetch(self, missing: Sequence[RecordedDelivery], mark: float) -> float:
        """Fetch the oldest first, as far as time allows; gives up to when nothing is missing."""
        end = monotonic() + ROUND
        for each in missing:
            if monotonic() > end:
                break
            await self._store(each)
            mark = max(mark, each.sent_at)
        return mark

    async def _store(self, recorded: RecordedDelivery) -> None:
        key = f"github:{recorded.guid}"
        try:
            body = await self._recorded.body(recorded)
        except (RetryLater, Refused) as error:
            self._failures[recorded.number] += 1
            if isinstance(error, RetryLater) and self._failures[recorded.number] < TRIES:
                raise
            log.error("delivery.unavailable", key=key, kind=recorded.event, error=str(error))
            return
        await self._holder.store.add_delivery(
            key=key,
            source="github",
            event=recorded.event,
            media_type="application/json",
            body=body,
            now=self._holder.clock(),
        )
        count_delivery("github", recorded.event, "fetched")
        log.info("delivery.fetched", key=key, kind=recorded.event)
