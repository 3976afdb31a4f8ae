"""Of several bots one looks through what GitHub recorded, when it is due, and the next goes on from there."""

import pytest

from bot.store import Session, Store, scans
from bot.store.leases import LeaseLost
from bot.tables import DeliveryScan

APP = "github:4711"


def _claim(session: Session, owner: str, now: float) -> DeliveryScan | None:
    return scans.claim(session, APP, owner=owner, now=now, lease=90.0)


async def test_one_bot_looks_and_notes_how_far_it_came(store: Store) -> None:
    for now in (1000.0, 2000.0):
        await store.write(lambda s, now=now: scans.begin(s, APP, now=now))  # type: ignore[misc]
    first = await store.write(lambda s: _claim(s, "one", 2000.0))
    assert first is not None
    assert first.mark == 1000.0
    number = first.identity
    assert await store.write(lambda s: _claim(s, "two", 2000.0)) is None
    await store.write(lambda s: scans.settle(s, number, owner="one", mark=1500.0, due_at=2010.0))
    assert await store.write(lambda s: _claim(s, "two", 2009.0)) is None
    later = await store.write(lambda s: _claim(s, "two", 2010.0))
    assert later is not None
    assert later.mark == 1500.0
    with pytest.raises(LeaseLost):
        await store.write(lambda s: scans.settle(s, number, owner="one", mark=1.0, due_at=0.0))


async def test_deliveries_that_are_here_are_known_by_their_keys(store: Store) -> None:
    await store.add_delivery(
        key="github:a", source="github", event="push", media_type="m", body=b"{}", now=1.0
    )
    assert await store.read(lambda s: scans.missing(s, {"github:a", "github:b"})) == {"github:b"}
    assert await store.read(lambda s: scans.missing(s, set())) == set()
