"""Files of repositories in the database: wanted, held by one bot, and never in force by halves."""

from typing import Any

import pytest

from bot.store import Session, Store, repository_files, versions
from bot.store.leases import LeaseLost
from bot.store.repository_files import InForce, NameTaken, ReadRequest
from bot.tables import JobVersion, RepositoryFile

JOB: dict[str, Any] = {"name": "shop-greet", "command": "true"}


async def claim(store: Store, owner: str = "one", now: float = 10.0) -> list[RepositoryFile]:
    return await store.write(lambda s: repository_files.claim(s, owner=owner, now=now, lease=30.0, limit=9))


async def want(store: Store, number: int = 7, **pushed: str) -> None:
    wanted = ReadRequest(number, "acme/shop", pushed.get("pusher"), pushed.get("commit"))
    await store.write(lambda s: repository_files.want(s, wanted, now=1.0))


async def installed(store: Store, *names: str, number: int = 7, before: tuple[str, ...] = ()) -> list[str]:
    jobs = {name: {**JOB, "name": name} for name in names}

    def write(session: Session) -> list[str]:
        versions.hold(session)
        new = InForce(number, "acme/shop", "c" * 40, jobs, lines=dict.fromkeys(names, 3), before=before)
        return repository_files.install(session, new, actor="github:octocat", now=2.0)

    return await store.write(write)


async def newest(store: Store) -> dict[str, JobVersion]:
    return await store.read(versions.newest)


async def test_what_is_wanted_while_it_is_read_is_read_once_more(store: Store) -> None:
    await want(store, pusher="github:octocat", commit="a")
    await want(store)
    (row,) = await claim(store)
    assert (row.wanted, row.pusher, row.pushed) == (2, "github:octocat", "a")
    assert await claim(store, "two") == []
    await want(store, pusher="github:mona", commit="b")
    await store.write(lambda s: repository_files.settle(s, row, owner="one", state="good", read_at=3.0))
    (again,) = await claim(store, "two")
    assert (again.read, again.wanted, again.state, again.pusher) == (2, 3, "good", "github:mona")
    await store.write(lambda s: repository_files.settle(s, again, owner="two"))
    assert await claim(store) == []


async def test_who_lost_the_lease_stores_nothing(store: Store) -> None:
    await want(store)
    (row,) = await claim(store)
    await claim(store, "two", now=50.0)
    with pytest.raises(LeaseLost):
        await store.write(lambda s: repository_files.settle(s, row, owner="one", state="good"))
    with pytest.raises(LeaseLost):
        await store.write(lambda s: repository_files.retry(s, row, owner="one", due_at=60.0))


async def test_retry_waits_for_its_time_and_counts(store: Store) -> None:
    await want(store)
    (row,) = await claim(store)
    await store.write(lambda s: repository_files.retry(s, row, owner="one", due_at=60.0))
    assert await claim(store, now=59.0) == []
    (again,) = await claim(store, now=61.0)
    assert again.attempts == 2
    await store.write(lambda s: repository_files.retry(s, again, owner="one", due_at=900.0))
    await store.write(lambda s: repository_files.want_named(s, "acme/shop", now=62.0))
    assert len(await claim(store, now=63.0)) == 1


async def test_jobs_of_one_repository_are_replaced_as_a_whole(store: Store) -> None:
    assert await installed(store, "shop-a", "shop-b") == ["shop-a", "shop-b"]
    old = ("shop-a", "shop-b")
    assert await installed(store, "shop-a", "shop-c", before=old) == ["shop-c", "-shop-b"]
    assert await installed(store, "other-a", number=8, before=old) == ["other-a"]
    assert await installed(store, *old, before=("shop-a", "shop-c")) == ["shop-b", "-shop-c"]
    rows = await newest(store)
    assert {name: (row.version, row.deleted) for name, row in rows.items()} == {
        "shop-a": (1, False),
        "shop-b": (3, False),
        "shop-c": (2, True),
        "other-a": (1, False),
    }
    assert rows["shop-b"].origin == {
        "repository": "acme/shop",
        "number": 7,
        "commit": "c" * 40,
        "line": 3,
    }


async def test_name_of_another_one_undoes_all_of_it(store: Store) -> None:
    await installed(store, "shop-b", number=8)
    with pytest.raises(NameTaken):
        await installed(store, "shop-a", "shop-b")
    assert set(await newest(store)) == {"shop-b"}


async def test_images_alone_are_a_change_that_others_see(store: Store) -> None:
    await want(store)
    (row,) = await claim(store)
    before = await store.read(versions.mark)
    image = {"shop-app": {"name": "shop-app", "build": {"repository": "acme/shop"}}}
    for _ in range(2):
        await store.write(lambda s: repository_files.put_images(s, row, image))
    assert await store.read(versions.mark) == before + 1
    assert await store.read(repository_files.images) == {7: image}
