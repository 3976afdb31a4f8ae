from bot.store import Session, Store, leases, runs
from bot.tables import Delivery, Run


async def _two_runs(store: Store) -> list[int]:
    def work(session: Session) -> list[int]:
        for key in ("a", "b"):
            run = Run(key=key, name="", job="migrate", cause="c", actor="a", created_at=0.0)
            runs.enqueue(session, run, [], now=1.0, nonce=key)
        return [run.identity for run in runs.claim(session, owner="one", now=2.0, lease=30.0, limit=9)]

    return await store.write(work)


async def test_renewing_keeps_others_away_and_tells_who_should_stop(store: Store) -> None:
    first, second = await _two_runs(store)
    await store.write(lambda session: runs.request_stop(session, second, by="github:b", now=3.0))
    held = await store.write(
        lambda session: leases.renew(session, Run, owner="one", ids=[first, second, 99], now=20.0, lease=30.0)
    )
    assert held == leases.LeaseRenewal(frozenset({first, second}), frozenset({second}))
    late = await store.write(lambda s: runs.claim(s, owner="two", now=49.0, lease=30.0, limit=9))
    assert late == []


async def test_lost_lease_cannot_be_renewed(store: Store) -> None:
    first, _ = await _two_runs(store)
    await store.write(lambda session: runs.claim(session, owner="two", now=40.0, lease=30.0, limit=1))
    held = await store.write(
        lambda session: leases.renew(session, Run, owner="one", ids=[first], now=41.0, lease=30.0)
    )
    assert held.ours == frozenset()


async def test_tables_without_stops_and_empty_lists_are_fine(store: Store) -> None:
    await store.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
    nothing = await store.write(
        lambda session: leases.renew(session, Delivery, owner="one", ids=[1], now=1.0, lease=30.0)
    )
    assert nothing == leases.LeaseRenewal(frozenset(), frozenset())
    assert nothing == await store.write(
        lambda session: leases.renew(session, Run, owner="one", ids=[], now=1.0, lease=30.0)
    )


async def test_released_rows_may_be_claimed_at_once(store: Store) -> None:
    numbers = await _two_runs(store)
    await store.write(lambda session: leases.release(session, owner="two"))
    assert await store.write(lambda s: runs.claim(s, owner="two", now=3.0, lease=30.0, limit=9)) == []
    await store.write(lambda session: leases.release(session, owner="one"))
    again = await store.write(lambda s: runs.claim(s, owner="two", now=3.0, lease=30.0, limit=9))
    assert [run.number for run in again] == numbers
