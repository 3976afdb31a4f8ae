"""Numbers that are pinned to names, on both databases."""

from bot.store import Session, Store, pins, runs
from bot.tables import RepositoryPin, Run


async def pinned(store: Store, *rows: tuple[str, int, str]) -> None:
    for name, number, current in rows:
        assert await store.write(lambda s, n=name, k=number, c=current: pins.add(s, n, k, current=c, now=1.0))  # type: ignore[misc]


async def found(store: Store, name: str) -> int | None:
    row = await store.read(lambda s: pins.find(s, name))
    return None if row is None else row.number


async def test_name_is_pinned_once(store: Store) -> None:
    await pinned(store, ("acme/shop", 1, "acme/shop"))
    assert not await store.write(lambda s: pins.add(s, "acme/shop", 2, current="acme/shop", now=2.0))
    assert await found(store, "acme/shop") == 1
    around = await store.read(lambda s: pins.around(s, names=("acme/shop", "acme"), numbers=(1, 2)))
    assert [row.name for row in around] == ["acme/shop"]


async def test_repository_is_found_by_what_it_is_called_today(store: Store) -> None:
    await pinned(store, ("acme", 1, "acme"), ("acme/shop", 1, "acme/shop"), ("acme/site", 2, "acme/site"))
    await store.write(lambda s: pins.rename(s, 1, "Acme/Store"))
    assert [await found(store, name) for name in ("acme/shop", "acme/store", "acme")] == [1, 1, None]
    await store.write(lambda s: pins.rename(s, 2, "acme/store"))
    assert await found(store, "acme/store") == 2
    rows = {row.name: row.current for row in await store.read(pins.listing)}
    assert rows == {"acme": "acme", "acme/shop": "", "acme/site": "acme/store"}


async def test_rivals_are_noted_and_go_with_the_name_and_its_owner(store: Store) -> None:
    await pinned(store, ("acme", 9, "acme"), ("acme/shop", 1, "acme/shop"))
    await store.write(lambda s: pins.note_rivals(s, {"acme": 8, "acme/shop": 2}))
    rows: list[RepositoryPin] = list(await store.read(pins.listing))
    assert [(row.name, row.rival) for row in rows] == [("acme", 8), ("acme/shop", 2)]
    assert await store.write(lambda s: pins.forget(s, "acme/shop"))
    assert await store.read(pins.listing) == []
    assert not await store.write(lambda s: pins.forget(s, "acme/shop"))


async def test_runs_go_on_under_the_new_name(store: Store) -> None:
    def start(session: Session) -> None:
        for number, repository in enumerate(("Acme/Shop", "acme/site")):
            run = Run(
                key=f"k{number}",
                name="",
                job="j",
                cause="api",
                actor="t",
                repository=repository,
                created_at=0.0,
            )
            runs.enqueue(session, run, [], now=1.0, nonce="n")

    await store.write(start)
    await store.write(lambda s: pins.take_history(s, "acme/shop", "acme/store"))
    found = await store.read(lambda s: runs.page(s, limit=5))
    assert sorted(run.repository or "" for run in found) == ["acme/site", "acme/store"]
