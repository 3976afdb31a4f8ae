from sqlalchemy import update

from bot.store import Session, Store, posts, runs, stats
from bot.tables import Post, Run


async def test_depths_count_what_is_not_done(store: Store) -> None:
    def fill(session: Session) -> None:
        for key in ("a", "b"):
            run = Run(key=key, name="", job="migrate", cause="c", actor="a", created_at=0.0)
            card = Post(key="x", kind="github_comment", nonce="n", created_at=1.0)
            runs.enqueue(session, run, [card], now=1.0, nonce=key)
        number = (runs.latest(session) or run).identity
        runs.request_stop(session, number, by="a", now=2.0)
        (claimed,) = posts.claim(session, owner="one", now=2.0, lease=9.0, limit=1)
        posts.fail(session, claimed.identity, owner="one", error="gone")

    await store.write(fill)
    await store.add_delivery(key="a", source="s", event="e", media_type="m", body=b"", now=1.0)
    assert await store.read(stats.depths) == stats.Depths(1, 1, {"waiting": 1}, {})


async def test_card_that_waits_to_tell_the_time_is_not_late(store: Store) -> None:
    card = Post(key="k", kind="slack_message", nonce="n", created_at=1.0, due_at=15.0, sent=1, wanted=2)
    await store.write(lambda s: s.add(card))
    assert (await store.read(stats.depths)).posts == 0
    await store.write(lambda s: s.execute(update(Post).values(due_at=posts.AT_ONCE)))
    assert (await store.read(stats.depths)).posts == 1
