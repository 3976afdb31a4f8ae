"""Verdicts of pushes: what is kept, for how long, and how it is found."""

import pytest
from sqlalchemy import text

from bot.store import Store, push_verdicts, pushes
from bot.tables import PushSeen, PushVerdict
from tests.bot.store.test_pushes import ZERO, A, B, C, row


def verdict(push: PushSeen, image: str = "shop", what: str = "built") -> PushVerdict:
    about = push.model_dump(include={"delivery_id", "repository", "ref", "before", "after", "pushed_at"})
    return PushVerdict(**about, image=image, verdict=what, received_at=push.decided_at)


async def test_what_built_an_image_last_is_kept_while_its_ref_exists(database_url: str) -> None:
    rows = [
        verdict(row(ZERO, A, 1.0)),
        verdict(row(A, B, 2.0)),
        verdict(row(A, B, 2.0), "docs", "filtered"),
        verdict(row(ZERO, A, 1.0, ref="refs/heads/gone")),
        verdict(row(A, ZERO, 2.0, ref="refs/heads/gone"), what="deleted"),
        verdict(row(B, C, 99.0), what="filtered"),
    ]
    async with await Store.open(database_url, owner="one") as store:
        await store.write(lambda s: s.add_all(rows))
        assert await store.write(lambda s: push_verdicts.prune(s, before=50.0, limit=2)) == 2
        assert await store.write(lambda s: push_verdicts.prune(s, before=50.0, limit=9)) == 2
        assert await store.write(lambda s: push_verdicts.prune(s, before=50.0, limit=9)) == 0
        left = await store.read(lambda s: push_verdicts.newest(s, repositories=["1"], image="shop", limit=9))
    assert [(each.after, each.verdict) for each in left] == [(C, "filtered"), (B, "built")]


@pytest.mark.parametrize(
    ("built", "image", "order"),
    [
        (row(B, C, 12.0, 5), "shop", "older"),
        (row(A, B, 10.0, 5), "shop", "same"),
        (row(B, C, 12.0, 5), "docs", "new"),
        (row(ZERO, A, 9.0, 3), "shop", "new"),
    ],
)
async def test_order_of_an_older_push_is_asked_image_by_image(
    database_url: str, built: PushSeen, image: str, order: str
) -> None:
    newest, push = row(C, A, 20.0, 9), row(A, B, 10.0, 6)
    async with await Store.open(database_url, owner="one") as store:
        await store.write(lambda s: s.add_all([verdict(built, image), verdict(newest, what="filtered")]))
        await store.write(lambda s: pushes.place(s, newest))
        assert await store.read(lambda s: push_verdicts.orders(s, push, ["shop"])) == {"shop": order}


async def test_questions_are_answered_by_indexes(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('plans')}/errand.db"
    questions = {
        "SELECT max(id) FROM push_verdicts WHERE repository = '1' AND ref = 'r' AND image IN ('a', 'b')"
        " AND verdict = 'built' GROUP BY image": "push_verdicts_ref",
        "SELECT * FROM push_verdicts WHERE image = 'a' AND repository IN ('1', 'b') ORDER BY id DESC LIMIT 5":
            "push_verdicts_image",
        "SELECT 1 FROM push_verdicts WHERE delivery_id = 1": "push_verdicts_delivery",
    }  # fmt: skip
    async with await Store.open(url, owner="one") as store:
        for question, index in questions.items():
            plan = await store.read(
                lambda s, q=question: str(s.execute(text(f"EXPLAIN QUERY PLAN {q}")).all())  # type: ignore[misc]
            )
            assert index in plan
            assert "SCAN" not in plan
