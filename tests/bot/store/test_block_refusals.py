"""A workspace that refused a block is remembered for a day."""

from bot.store import Store, block_refusals


async def test_refusal_counts_for_its_workspace_and_block_for_a_day(store: Store) -> None:
    async def refuses(team: str, kind: str, now: float) -> bool:
        return await store.read(lambda s: block_refusals.refuses(s, team, [kind], now=now))

    for at in (1000.0, 2000.0):
        await store.write(lambda s, at=at: block_refusals.remember(s, "T1", ["data_table"], now=at))  # type: ignore[misc]
    assert await refuses("T1", "data_table", 2000.0 + block_refusals.KEPT - 1)
    assert not await refuses("T1", "data_table", 2000.0 + block_refusals.KEPT + 1)
    assert not await refuses("T1", "data_visualization", 2000.0)
    assert not await refuses("T2", "data_table", 2000.0)
