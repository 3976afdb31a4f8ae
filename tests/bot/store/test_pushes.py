"""Pushes that were decided: what is new, what is a repetition, and what is older."""

import pytest

from bot.store import Store, pushes
from bot.store.pushes import compared
from bot.tables import PushSeen

ZERO, A, B, C = "0" * 40, "a" * 40, "b" * 40, "c" * 40


def row(before: str, after: str, at: float | None, id: int = 1, ref: str = "refs/heads/main") -> PushSeen:
    return PushSeen(
        repository="1",
        ref=ref,
        before=before,
        after=after,
        pushed_at=at,
        delivery_id=id,
        decided_at=at or 0.0,
    )


@pytest.mark.parametrize(
    ("newest", "push", "order"),
    [
        (row(A, B, 10.0, 5), row(B, C, 10.0, 4), "new"),  # one second: what follows is newer
        (row(B, C, 10.0, 5), row(A, B, 10.0, 6), "older"),
        (row(A, B, 10.0, 5), row(C, A, 12.0, 6), "new"),  # one between was lost
        (row(B, C, 10.0, 5), row(A, B, 12.0, 6), "new"),  # set back by one that was lost
        (row(A, B, 10.0, 5), row(B, C, 9.0, 6), "older"),
        (row(A, B, None, 5), row(ZERO, C, None, 6), "new"),
        (row(A, B, None, 5), row(ZERO, C, None, 4), "older"),
        (row(A, B, 10.0, 5), row(B, B, 10.0, 6), "same"),  # told twice, the second time as no change
        (row(ZERO, A, 10.0, 5), row(A, ZERO, 10.0, 6), "new"),  # made and deleted within a second
    ],
)
def test_what_is_newer_is_told_by_time_then_by_what_follows_then_by_arrival(
    newest: PushSeen, push: PushSeen, order: str
) -> None:
    newest.id = 1
    assert compared(push, newest, None) == order


@pytest.mark.parametrize(
    ("newest", "at", "order"),
    [
        (row(B, A, 10.0), 12.0, "again"),
        (row(B, A, 10.0), 9.0, "same"),  # a replay after the branch was set back
        (row(B, A, 10.0), None, "same"),
        (row(B, C, 10.0), 12.0, "same"),  # the other webhook, late
    ],
)
def test_same_push_counts_again_only_where_the_branch_went_back(
    newest: PushSeen, at: float | None, order: str
) -> None:
    known = row(A, B, 8.0)
    known.id, newest.id = 1, 2
    assert compared(row(A, B, at), newest, known) == order


async def test_newest_push_of_a_ref_is_never_forgotten_and_older_ones_are(database_url: str) -> None:
    async with await Store.open(database_url, owner="one") as store:
        for push in (row(ZERO, A, 1.0), row(A, B, 2.0), row(A, ZERO, 1.0, ref="refs/heads/gone")):
            assert await store.write(lambda s, push=push: pushes.place(s, push)) == "new"  # type: ignore[misc]
        assert await store.write(lambda s: pushes.prune(s, before=100.0, limit=10)) == 2
        assert await store.write(lambda s: pushes.place(s, row(A, B, 2.0, 9))) == "same"
        assert await store.write(lambda s: pushes.place(s, row(ZERO, A, 1.0, 9))) == "older"
