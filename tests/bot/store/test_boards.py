"""What the first page shows of runs and builds, of the jobs of whoever looks alone."""

from typing import Any

from bot.store import Store, boards
from bot.tables import Build, Run


def _run(number: int, job: str, state: str = "finished", result: str | None = None, **about: Any) -> Run:
    known = {"cause": "api", "actor": "a", "created_at": 1.0, "started_at": 10.0, **about}
    return Run(
        number=number, key=f"k{number}", name=f"n{number}", job=job, state=state, result=result, **known
    )


def _build(number: int, **about: Any) -> Build:
    known = {
        "cause": "push",
        "actor": "a",
        "created_at": 1.0,
        "commit": "c",
        "repository": "acme/shop",
        **about,
    }
    return Build(number=number, key=f"k{number}", name=f"n{number}", image="shop", **known)


async def _fill(store: Store, *rows: Run | Build) -> None:
    await store.write(lambda s: s.add_all(type(row)(**row.model_dump()) for row in rows))


async def test_what_runs_is_newest_first_and_what_waits_oldest_first(store: Store) -> None:
    await _fill(
        store,
        _run(1, "a", "running"),
        _run(2, "b", "waiting"),
        _run(3, "a", "stopping"),
        _run(4, "a", "building"),
        _run(5, "a", result="failed", finished_at=20.0),
    )
    assert await store.read(lambda s: boards.running(s, None, limit=5)) == [3, 1]
    assert await store.read(lambda s: boards.waiting(s, None, limit=5)) == [2, 4]
    assert await store.read(lambda s: boards.waiting(s, {"a"}, limit=5)) == [4]
    many = {"a", *map(str, range(200))}
    assert await store.read(lambda s: boards.waiting(s, many, limit=5)) == [4]
    assert await store.read(lambda s: boards.running(s, many, limit=1)) == [3]
    assert [run.number for run in await store.read(lambda s: boards.runs(s, [1, 9, 3]))] == [1, 3]
    assert [run.number for run in await store.read(lambda s: boards.recent(s, {"a"}, limit=5))] == [5]
    assert await store.read(lambda s: boards.recent(s, {"b"}, limit=5)) == []


async def test_failures_are_those_since_then_the_last_first(store: Store) -> None:
    await _fill(
        store,
        _run(1, "a", result="failed", finished_at=500.0),
        _run(2, "a", result="error", finished_at=100.0),
        _run(3, "b", result="timed_out", finished_at=300.0),
        _run(4, "b", result="cancelled", finished_at=400.0),
        _run(5, "b", result="succeeded", finished_at=400.0),
    )
    assert await store.read(lambda s: boards.failed(s, None, since=200.0)) == [(500.0, 1), (300.0, 3)]
    assert await store.read(lambda s: boards.failed(s, {"b"}, since=0.0)) == [(300.0, 3)]


async def test_usual_is_the_median_of_what_succeeded(store: Store) -> None:
    rows = [_run(n, "a", result="succeeded", finished_at=10.0 + took) for n, took in enumerate((1, 5, 9), 1)]
    await _fill(
        store,
        *rows,
        _run(4, "a", result="failed", finished_at=900.0),
        _run(5, "b", result="failed", finished_at=900.0),
        _run(6, "a", "running"),
    )
    assert await store.read(lambda s: boards.usual(s, {"a", "b", "none"})) == {"a": 5.0}
    assert await store.read(lambda s: boards.usual(s, ())) == {}


async def test_builds_under_way_and_those_that_failed(store: Store) -> None:
    await _fill(
        store,
        _build(1, state="finished", result="failed", finished_at=50.0),
        _build(2, state="finished", result="succeeded", finished_at=50.0),
        _build(3, state="building"),
        _build(4, state="finished", result="failed", finished_at=5.0),
    )
    assert [each.number for each in await store.read(lambda s: boards.building(s, limit=5))] == [3]
    assert [each.number for each in await store.read(lambda s: boards.failed_builds(s, since=10.0))] == [1]
    assert [each.number for each in await store.read(lambda s: boards.builds(s, [3, 1]))] == [3, 1]
    assert await store.read(lambda s: boards.builds(s, [])) == []
