from collections.abc import Callable

from bot.store import Session, Store, deliveries
from bot.tables import Delivery


async def _deliver(store: Store, key: str, now: float = 1.0) -> None:
    await store.add_delivery(
        key=key, source="slack", event="command", media_type="text/plain", body=b"b", now=now
    )


def _claim(now: float = 2.0, owner: str = "one") -> Callable[[Session], list[Delivery]]:
    return lambda session: deliveries.claim(session, owner=owner, now=now, lease=30.0, limit=9)


async def test_delivery_is_claimed_by_one_until_it_is_settled(store: Store) -> None:
    await _deliver(store, "a")
    (delivery,) = await store.write(_claim())
    assert await store.write(_claim(owner="two")) == []
    await store.write(
        lambda session: deliveries.settle(session, delivery.identity, owner="one", state="handled")
    )
    assert await store.write(_claim(now=1e9)) == []


async def test_same_key_is_stored_once_even_after_it_was_handled(store: Store) -> None:
    await _deliver(store, "a")
    (delivery,) = await store.write(_claim())
    await store.write(
        lambda session: deliveries.settle(session, delivery.identity, owner="one", state="handled")
    )
    await _deliver(store, "a")
    assert await store.write(_claim(now=1e9)) == []


async def test_retry_waits_until_it_is_due(store: Store) -> None:
    await _deliver(store, "a")
    (delivery,) = await store.write(_claim())
    await store.write(
        lambda session: deliveries.retry(session, delivery.identity, owner="one", due_at=10.0, note="502")
    )
    assert await store.write(_claim(now=9.0)) == []
    (again,) = await store.write(_claim(now=10.0))
    assert (again.attempts, again.note) == (2, "502")


async def test_pruning_forgets_what_is_old_and_settled(store: Store) -> None:
    for key, now in (("old", 1.0), ("open", 1.0), ("new", 50.0)):
        await _deliver(store, key, now)
    claimed = {delivery.key: delivery.identity for delivery in await store.write(_claim())}
    for key in ("old", "new"):
        await store.write(
            lambda session, id=claimed[key]: deliveries.settle(
                session, id, owner="one", state="ignored", note="x"
            )  # type: ignore[misc]
        )
    assert await store.write(lambda s: deliveries.prune(s, before=99.0, limit=9)) == 0
    assert await store.write(lambda s: deliveries.prune(s, before=99.0, limit=1, ignored=True)) == 1
    assert await store.write(lambda s: deliveries.prune(s, before=40.0, limit=9, ignored=True)) == 0
    assert await store.write(lambda s: deliveries.prune(s, before=99.0, limit=9, ignored=True)) == 1
    assert [delivery.key for delivery in await store.write(_claim(now=1e9))] == ["open"]
