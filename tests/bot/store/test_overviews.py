"""What somebody finds at a glance, of their repositories alone."""

from collections.abc import Sequence
from typing import Any

from bot.store import Session, Store, overviews
from bot.store.overviews import Scope
from bot.tables import Run

SHOP, SITE = "acme/shop", "acme/site"


def _run(number: int, job: str, result: str | None, **about: Any) -> Run:
    state = "running" if result is None else "finished"
    fields: dict[str, Any] = {
        "key": f"k{number}",
        "name": f"n{number}",
        "cause": "api",
        "actor": "a",
        "created_at": 1.0,
    }
    known = {"repository": SHOP, "state": state, **fields, **about}
    return Run(number=number, job=job, result=result, **known)


async def _numbers(store: Store, rows: Sequence[Run], what: Any, **how: Any) -> list[int]:
    await store.write(lambda s: s.add_all([Run(**row.model_dump()) for row in rows]))

    def read(session: Session) -> list[int]:
        return [row.identity for row in what(session, **how)]

    return await store.read(read)


async def test_failures_are_one_for_each_job_that_did_not_succeed_since(store: Store) -> None:
    rows = [
        _run(1, "mended", "failed"),
        _run(2, "mended", "succeeded"),
        _run(3, "broken", "succeeded"),
        _run(4, "broken", "failed"),
        _run(5, "broken", "timed_out"),
        _run(6, "broken", "cancelled"),
        _run(7, "broken", None),
        _run(8, "other", "error", repository=SITE),
        _run(9, "faulty", "error"),
        _run(10, "stopped", "cancelled"),
        _run(11, "nobody's", "failed", repository=None),
    ]
    assert await _numbers(store, rows, overviews.failing, scope=Scope([SHOP]), limit=5) == [9, 5]


async def test_failures_are_the_newest_ones(store: Store) -> None:
    rows = [_run(number, f"job-{number}", "failed") for number in range(1, 9)]
    assert await _numbers(store, rows, overviews.failing, scope=Scope([SHOP]), limit=2) == [8, 7]


async def test_what_goes_on_is_newest_first(store: Store) -> None:
    rows = [
        _run(1, "a", None),
        _run(2, "b", "failed"),
        _run(3, "c", None, state="waiting"),
        _run(4, "d", None, repository=SITE),
    ]
    assert await _numbers(store, rows, overviews.under_way, scope=Scope([SHOP]), limit=5) == [3, 1]


async def test_nobody_s_repositories_have_nothing(store: Store) -> None:
    rows = [_run(1, "a", None), _run(2, "b", "failed")]
    assert await _numbers(store, rows, overviews.under_way, scope=Scope([]), limit=5) == []
    assert await store.read(lambda s: overviews.failing(s, Scope([]), limit=5)) == []
    assert await store.read(lambda s: overviews.touched(s, [1, 2, 3])) == ({SHOP}, {"a", "b"})


async def test_job_of_its_own_rule_is_theirs_or_not_whatever_the_repository(store: Store) -> None:
    rows = [_run(1, "a", None), _run(2, "secret", None), _run(3, "mine", None, repository=None)]
    scope = Scope([SHOP], hidden=["secret"], own=["mine"])
    assert await _numbers(store, rows, overviews.under_way, scope=scope, limit=5) == [3, 1]
