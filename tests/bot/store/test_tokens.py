import pytest

from bot.store import Store, tokens


async def test_token_is_found_by_its_hash_until_it_is_removed(store: Store) -> None:
    await store.write(lambda session: tokens.add(session, name="ci", hash="h", now=1.0))
    found = await store.read(lambda session: tokens.by_hash(session, "h"))
    assert found is not None
    assert found.name == "ci"
    assert await store.write(lambda session: tokens.remove(session, name="ci")) is True
    assert await store.write(lambda session: tokens.remove(session, name="ci")) is False
    assert await store.read(lambda session: tokens.by_hash(session, "h")) is None


async def test_names_are_unique(store: Store) -> None:
    await store.write(lambda session: tokens.add(session, name="ci", hash="h", now=1.0))
    with pytest.raises(ValueError, match="called ci"):
        await store.write(lambda session: tokens.add(session, name="ci", hash="i", now=1.0))


async def test_use_is_noted_once_a_minute(store: Store) -> None:
    token = await store.write(lambda session: tokens.add(session, name="ci", hash="h", now=1.0))
    seen = []
    for now in (10.0, 69.0, 71.0):
        await store.write(lambda session, now=now: tokens.touch(session, token.id or 0, now=now))  # type: ignore[misc]
        (found,) = await store.read(tokens.list)
        seen.append(found.last_used_at)
    assert seen == [10.0, 10.0, 71.0]
