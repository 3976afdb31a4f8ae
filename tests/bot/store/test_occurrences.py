"""What happened in a repository: stored once, kept as long as it is needed, and in its order."""

from typing import Any

import pytest

from bot.store import Session, Store, occurrences, runs
from bot.tables import OccurrenceSeen, Run


def row(key: str, *, at: float = 100.0, **about: Any) -> OccurrenceSeen:
    return OccurrenceSeen(
        **{
            "repository": "1",
            "key": key,
            "event": key.partition(":")[0],
            "subject": key,
            "delivery_id": 1,
            "received_at": at,
            **about,
        }
    )


async def placed(store: Store, made: OccurrenceSeen) -> bool:
    return await store.write(lambda s: occurrences.place(s, made))


async def started(store: Store, job: str, occurrence: int, **about: Any) -> Run:
    """A run that it led to."""
    made = Run(
        key=f"{job}{occurrence}{about}",
        name="",
        job=job,
        cause="deployment",
        actor="github:octocat",
        created_at=1.0,
        occurrence=occurrence,
        **about,
    )
    stored, _ = await store.write(lambda s: runs.enqueue(s, made, [], now=1.0, nonce=made.key))
    return stored


async def test_same_thing_is_placed_once_in_its_repository(store: Store) -> None:
    assert await placed(store, row("deployment:1"))
    assert not await placed(store, row("deployment:1", at=200.0))
    assert await placed(store, row("deployment:1", repository="2"))


async def test_newest_run_of_each_job_counts(store: Store) -> None:
    await placed(store, row("deployment:1"))
    for job in ("migrate", "migrate", "warm"):
        await started(store, job, 1, parameters={"n": str(await counted(store))})
    await started(store, "migrate", 2)
    await started(store, "migrate", 1, commit="b" * 40)  # what is run with today's commit says nothing of it
    found = await store.read(lambda s: [run.number for run in occurrences.current_runs(s, 1)])
    assert found == [2, 3]


async def counted(store: Store) -> int:
    return await store.read(lambda s: len(runs.page(s, limit=100)))


async def test_payload_goes_when_no_run_needs_it_and_the_rest_much_later(store: Store) -> None:
    for number in (1, 2, 3):
        await placed(store, row(f"deployment:{number}", payload="{}", at=100.0 if number < 3 else 900.0))
    await started(store, "migrate", 1)
    assert await store.write(lambda s: occurrences.strip(s, before=500.0, limit=10)) == 1

    def payloads(session: Session) -> list[str | None]:
        found = [occurrences.get(session, number) for number in (1, 2, 3)]
        return [None if each is None else each.payload for each in found]

    assert await store.read(payloads) == ["{}", None, "{}"]
    assert await store.write(lambda s: occurrences.prune(s, before=500.0, limit=10)) == 1
    assert await store.read(lambda s: [occurrences.get(s, n) is None for n in (1, 2, 3)]) == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("key", "at", "over"),
    [
        ("pull_request:7:synchronize:b::x", "2026-01-01T00:00:09Z", True),
        ("pull_request:7:closed:b::x", "2026-01-01T00:00:09Z", True),
        ("pull_request:7:synchronize:b::x", "2026-01-01T00:00:05Z", False),
        ("pull_request:7:labeled:b:x:closed:y:x", "2026-01-01T00:00:09Z", False),
        ("pull_request:77:closed:b::x", "2026-01-01T00:00:09Z", False),
    ],
)
async def test_pull_request_is_over_for_what_came_before_a_later_push_or_its_end(
    store: Store, key: str, at: str, over: bool
) -> None:
    number = int(key.split(":")[1])
    earlier = row("pull_request:7:opened:a::x", pull=7, at=100.0)
    earlier.at = "2026-01-01T00:00:05Z"
    later = row(key, pull=number)
    later.at = at
    await placed(store, later)
    assert (
        await store.write(lambda s: (occurrences.place(s, earlier), occurrences.is_over(s, earlier))[1])
        is over
    )


async def test_runs_that_a_pull_request_started_before_end_and_no_others(store: Store) -> None:
    first, other, newer = (row(f"pull_request:{key}", pull=7) for key in ("7:opened", "8:opened", "7:closed"))
    for made, at in ((first, "1"), (other, "1"), (newer, "3")):
        made.at, made.event = at, "pull_request"
        await placed(store, made)
    about: dict[str, Any] = {"repository": "acme/shop", "pull_request": 7}
    await started(store, "preview", 1, **about)
    await started(store, "kept", 1, **about)
    await started(store, "preview", 1, **about | {"pull_request": 8})
    await started(store, "preview", 3, **about)
    found = await store.write(lambda s: list(occurrences.runs_to_end(s, newer, "acme/shop", ["preview"])))
    assert found == [1]


async def test_echo_is_what_another_webhook_has_told_more_often(store: Store) -> None:
    told = []
    for number, source in enumerate((1, 0, 0, 1, 1)):
        made = row(f"repository_dispatch:x:abc%:{source}:{number}")

        def look(session: Session, made: OccurrenceSeen = made) -> bool:
            occurrences.place(session, made)
            return occurrences.is_echo(session, made, "repository_dispatch:x:abc%:")

        told.append(await store.write(look))
    assert told == [False, True, False, True, False]
