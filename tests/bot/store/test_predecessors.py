"""What has to have succeeded is found by commit or digest, the newest success first, on both databases."""

from functools import partial

import pytest
from sqlalchemy import text

from bot.catalog.chains import After
from bot.states import State
from bot.store import Session, Store, predecessors
from bot.store.predecessors import Version
from bot.tables import Run

NOW = 1_800_000_000.0
MINE = Version("a" * 40, "tree:1")


def _add(
    session: Session, number: int, result: str | None, *, commit: str = "a" * 40, ended: float = NOW
) -> None:
    state = State.RUNNING if result is None else State.FINISHED
    row = Run(
        key=f"k{number}",
        name=f"n{number}",
        job="stage",
        cause="comment",
        actor="github:octocat",
        created_at=NOW,
    )
    row.number, row.state, row.result, row.commit, row.digest = number, state, result, commit, "tree:1"
    row.finished_at = None if result is None else ended
    session.add(row)


@pytest.mark.parametrize("of", ["commit", "image"])
async def test_newest_success_counts_whatever_came_after_it(store: Store, of: str) -> None:
    after = After.model_validate({"job": "stage", "of": of, "within": "1h"})
    ask = partial(predecessors.missing, after=after, version=MINE, now=NOW)
    nothing = await store.read(ask)
    assert nothing is not None
    assert "run" not in nothing
    await store.write(partial(_add, number=1, result="succeeded", ended=NOW - 7200))
    old = await store.read(ask)
    assert old is not None
    assert (old["run"], old["ended"]) == (1, NOW - 7200)
    await store.write(partial(_add, number=2, result="succeeded"))
    await store.write(partial(_add, number=3, result="failed"))
    await store.write(partial(_add, number=4, result=None))
    assert await store.read(ask) is None


async def test_what_there_is_instead_is_told(store: Store) -> None:
    after = After(job="stage")
    await store.write(partial(_add, number=1, result="succeeded", commit="b" * 40))
    await store.write(partial(_add, number=2, result="failed"))
    missing = await store.read(partial(predecessors.missing, after=after, version=MINE, now=NOW))
    assert missing is not None
    assert (missing["run"], missing["result"], missing["value"]) == (2, "failed", "a" * 40)


async def test_unknown_version_is_told_of_a_commit_and_waited_for_of_an_image(store: Store) -> None:
    nothing = Version(None, None)
    of_commit = await store.read(lambda s: predecessors.missing(s, After(job="stage"), nothing, now=NOW))
    assert of_commit is not None
    assert of_commit["value"] is None
    of_image = After(job="stage", of="image")
    assert await store.read(lambda s: predecessors.missing(s, of_image, nothing, now=NOW)) is None


async def test_million_runs_are_not_looked_through(store: Store) -> None:
    if store.is_shared:
        pytest.skip("PostgreSQL looks through what is small")
    for column, index in (("commit", "runs_commit"), ("digest", "runs_digest")):
        asked = f'SELECT * FROM runs WHERE job = :j AND "{column}" = :v ORDER BY number DESC LIMIT 1'
        query = f"EXPLAIN QUERY PLAN {asked}"
        rows = await store.read(lambda s, q=query: s.execute(text(q), {"j": "stage", "v": "x"}).all())  # type: ignore[misc]
        assert f"INDEX {index}" in str(rows)
