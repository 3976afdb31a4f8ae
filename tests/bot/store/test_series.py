"""What is read of the last runs of jobs: only what is drawn, each in one statement."""

from functools import partial

from bot.states import State
from bot.store import Store, series
from tests.webhooks.pages.finished import add_ended, add_open


async def test_last_runs_are_those_that_are_over_of_that_job(store: Store) -> None:
    await add_ended(store, "check", ["failed", "succeeded", "succeeded"])
    await add_ended(store, "plain", ["cancelled"])
    await add_open(store, "check", "running")
    found = await store.read(lambda s: series.ended(s, "check", limit=2))
    assert [(run.number, run.result, run.seconds) for run in found] == [
        (3, "succeeded", 3.0),
        (2, "succeeded", 2.0),
    ]
    for repository, numbers in ((None, [3, 2, 1]), ("acme/shop", [])):
        ours = await store.read(partial(series.ended_of, job="check", repository=repository, limit=9))
        assert [run.number for run in ours] == numbers
    strips = await store.read(lambda s: series.strips(s, ["check", "plain", "words"], limit=2))
    assert strips == {
        "check": [series.Mark(2, "succeeded"), series.Mark(3, "succeeded")],
        "plain": [series.Mark(4, "cancelled")],
    }
    last = await store.read(lambda s: series.last(s, ["check", "words"]))
    assert {job: (run.number, run.state) for job, run in last.items()} == {"check": (5, "running")}
    assert await store.read(lambda s: series.unfinished(s, ["check", "plain"])) == {"check": (0, 1)}
    assert await store.read(lambda s: series.jobs_in(s, [State.RUNNING])) == {"check"}
    ended = [
        await store.read(partial(series.that_ended, jobs=["check", "plain", "words"], result=result))
        for result in ("succeeded", "cancelled", "failed")
    ]
    assert ended == [{"check"}, {"plain"}, set()]
    assert await store.read(lambda s: series.that_ended(s, ["plain"], "succeeded")) == set()


async def test_nothing_is_found_of_no_jobs(store: Store) -> None:
    assert await store.read(lambda s: series.strips(s, [], limit=2)) == {}
    assert await store.read(lambda s: series.last(s, [])) == {}
    assert await store.read(lambda s: series.that_ended(s, ["check"], "failed")) == set()
