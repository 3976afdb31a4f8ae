"""What is decided as a run ends, on both databases."""

from typing import Any

import pytest
from sqlalchemy import select, update

from bot.states import State
from bot.store import Session, Store, digests, occasions, posts, runs, storms
from bot.store.columns import POST
from bot.tables import Build, Post, Run

NOW = 1000.0
NOTIFY = {"slack": "#ops", "when": ["failed", "failed_3", "recovered"], "who": ["slack:@ops"]}


async def ended(store: Store, result: str, at: float, *, job: str = "backup", **notify: Any) -> int:
    """A run of a job that tells its channel when, from its start to its end; its number."""

    def work(session: Session) -> int:
        run = Run(
            key=f"{job}:{at}",
            name="",
            job=job,
            definition={"notify": {**NOTIFY, **notify}},
            cause="schedule",
            actor="schedule",
            created_at=at,
        )
        card = Post(
            kind="slack_message",
            key="slack_message:#ops",
            place={"channel": "#ops"},
            nonce=f"n{at}",
            state=digests.QUIET,
            created_at=at,
        )
        number = runs.enqueue(session, run, [card], now=at, nonce=f"{at}")[0].identity
        runs.claim(session, owner="one", now=at, lease=60.0, limit=10)
        for state in (State.STARTING, State.RUNNING):
            runs.move(session, number, state, owner="one", now=at)
        runs.move(session, number, State.FINISHED, owner="one", now=at, result=result, exit_code=1)
        return number

    return await store.write(work)


async def kept(store: Store, kind: str = digests.KIND) -> list[Post]:
    query = select(Post).where(POST.kind == kind).order_by(POST.id)
    return await store.read(lambda s: list(s.scalars(query)))


async def test_row_of_failures_is_counted_in_one_post(store: Store) -> None:
    for at, result in enumerate(["failed", "cancelled", "timed_out", "failed", "succeeded", "failed"]):
        await ended(store, result, NOW + at)
    first, second = await kept(store)
    facts = first.place["facts"]
    assert (facts["count"], facts["runs"], facts["ended_by"]) == (3, [4, 3, 1], 5)
    assert (first.key, first.state, first.wanted) == ("streak:backup:#ops:1", "open", 4)
    assert (second.key, second.place["facts"]["count"]) == ("streak:backup:#ops:6", 1)
    notes = [(note.place["of"], note.place["about"]) for note in await kept(store, "slack_note")]
    assert notes == [(first.key, "failed_3"), (first.key, "recovered")]


async def test_end_that_is_not_committed_counts_nothing(store: Store) -> None:
    await ended(store, "failed", NOW)

    class Broken(Exception):
        pass

    def broken(session: Session) -> None:
        run = session.get(Run, 1)
        assert run is not None
        occasions.moved(session, run)
        raise Broken

    with pytest.raises(Broken):
        await store.write(broken)
    (row,) = await kept(store)
    assert row.place["facts"]["count"] == 1


async def test_failed_build_is_told_where_its_channel_was_quiet(store: Store) -> None:
    def work(session: Session) -> None:
        for number, result in ((1, "failed"), (2, "succeeded")):
            card = Post(kind="slack_message", key="c", nonce="n", state=digests.QUIET, created_at=NOW)
            posts.add_cards(session, [card], build=number)
            made: dict[str, Any] = {
                "image": "i",
                "repository": "r",
                "commit": "c",
                "cause": "push",
                "actor": "a",
            }
            build = Build(key=f"{number}", name="n", created_at=NOW, **made)
            build.number, build.state, build.result = number, State.FINISHED, result
            occasions.moved(session, build)

    await store.write(work)
    cards = await kept(store, "slack_message")
    assert [(card.build_number, card.state) for card in cards] == [(1, "open"), (2, digests.QUIET)]


async def test_storm_takes_what_comes_soon_and_keeps_what_becomes_of_it(store: Store) -> None:
    for at in range(3):
        await ended(store, "failed", NOW + at, job=f"job-{at}")
    rows = [row.identity for row in await kept(store)]
    for ids, now in ((rows[:2], NOW), (rows[1:2], NOW + 1), (rows[2:], NOW + 30)):
        await store.write(lambda s, i=ids, n=now: storms.fold(s, i, "#ops", now=n, nonce=f"{n}"))  # type: ignore[misc]
    storm = (await kept(store))[-1]
    assert (storm.key, list(storm.place["facts"]["things"])) == ("storm:#ops:1000.0", [str(i) for i in rows])
    assert storm.place["who"] == ["slack:@ops"]
    await ended(store, "succeeded", NOW + 40, job="job-1")
    await store.write(lambda s: storms.note(s, rows[1]))
    await store.write(lambda s: storms.note(s, rows[1]))
    storm = (await kept(store))[-1]
    assert storm.place["facts"]["things"][str(rows[1])]["result"] == "succeeded"
    assert storm.wanted == 3
    await ended(store, "failed", NOW + 200, job="late")
    late = next(row.identity for row in await kept(store) if row.place.get("job") == "late")
    await store.write(lambda s: storms.fold(s, [late], "#ops", now=NOW + 200, nonce="next"))
    assert (await kept(store))[-1].key == "storm:#ops:next"


async def test_who_fails_after_a_storm_was_told_is_called_below_it(store: Store) -> None:
    for at in range(2):
        await ended(store, "failed", NOW + at, job=f"job-{at}", who=[f"slack:U{at}ABC"])
    rows = [row.identity for row in await kept(store)]
    await store.write(lambda s: storms.fold(s, rows[:1], "#ops", now=NOW, nonce="x"))
    await store.write(lambda s: s.execute(update(Post).where(POST.key == "storm:#ops:x").values(sent=1)))
    await store.write(lambda s: storms.fold(s, rows[1:], "#ops", now=NOW, nonce="y"))
    (call,) = [note for note in await kept(store, "slack_note") if note.place["about"] == "call"]
    assert (call.place["of"], call.place["who"]) == ("storm:#ops:x", ["slack:U1ABC"])


async def test_old_messages_are_forgotten_but_the_newest_of_each_job(store: Store) -> None:
    for at, result in enumerate(["failed", "succeeded", "failed", "succeeded", "failed"]):
        await ended(store, result, NOW + at)
    await store.write(lambda s: s.execute(update(Post).where(POST.kind == digests.KIND).values(state="done")))
    assert await store.write(lambda s: digests.prune(s, before=NOW, limit=10)) == 0
    assert await store.write(lambda s: digests.prune(s, before=NOW + 60, limit=1)) == 1
    assert await store.write(lambda s: digests.prune(s, before=NOW + 60, limit=10)) == 1
    assert [row.key for row in await kept(store)] == ["streak:backup:#ops:5"]
