from collections.abc import Callable

from bot.store import Session, Store, posts
from bot.tables import Post


def _card(key: str = "a", run: int | None = 1, text: str | None = None) -> Post:
    return Post(
        key=key, kind="github_comment", nonce="n", run_number=run, text=text, due_at=1.0, created_at=1.0
    )


def _claim(now: float = 100.0) -> Callable[[Session], list[Post]]:
    return lambda session: posts.claim(session, owner="one", now=now, lease=0.0, limit=9)


async def _sent(store: Store, post: Post, *, done: bool = False, again_at: float = 0.0) -> None:
    rev, key = post.wanted, post.identity
    said = posts.PostedState(rev, posts.Remote("r"), again_at, done)
    await store.write(lambda session: posts.sent(session, key, said, owner="one"))


async def test_post_is_added_once_per_key(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card(), _card(), _card("b")]))
    await store.write(lambda session: posts.add(session, [_card()]))
    assert [post.key for post in await store.write(_claim())] == ["a", "b"]


async def test_what_was_never_said_is_claimed_before_edits_and_the_newest_first(store: Store) -> None:
    def one(session: Session) -> list[Post]:
        return posts.claim(session, owner="one", now=100.0, lease=9.0, limit=1)

    await store.write(lambda session: posts.add(session, [_card("old", 1), _card("said", 2)]))
    for post in await store.write(_claim()):
        await _sent(store, post)
    await store.write(lambda session: posts.want(session, "run", [1, 2], posts.Wish.URGENT))
    await store.write(lambda session: posts.add(session, [_card("new", 3), _card("newest", 4)]))
    claimed = [post.key for _ in range(5) for post in await store.write(one)]
    assert claimed == ["newest", "new", "said", "old"]


async def test_sent_post_is_claimed_again_only_when_more_is_wanted(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card()]))
    (post,) = await store.write(_claim())
    await _sent(store, post)
    assert await store.write(_claim()) == []
    await store.write(lambda session: posts.want(session, "run", [1]))
    (again,) = await store.write(_claim())
    assert (again.remote_id, again.wanted) == ("r", 2)


async def test_what_is_wanted_while_sending_is_sent_too_even_when_done(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card()]))
    (post,) = await store.write(_claim())
    await store.write(lambda session: posts.want(session, "run", [1]))
    await _sent(store, post, done=True)
    (again,) = await store.write(_claim())
    await _sent(store, again, done=True)
    await store.write(lambda session: posts.want(session, "run", [1]))
    assert await store.write(_claim()) == []


async def test_replies_are_said_once_whatever_the_run_does(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card(text="Hello")]))
    (post,) = await store.write(_claim())
    await _sent(store, post)
    await store.write(lambda session: posts.want(session, "run", [1]))
    assert await store.write(_claim()) == []


async def test_retry_waits_and_failure_is_final(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card()]))
    (post,) = await store.write(_claim())
    await store.write(
        lambda session: posts.retry(session, post.identity, owner="one", due_at=200.0, error="502")
    )
    assert await store.write(_claim(now=199.0)) == []
    (again,) = await store.write(_claim(now=200.0))
    assert (again.attempts, again.error) == (2, "502")
    await store.write(lambda session: posts.fail(session, post.identity, owner="one", error="404"))
    assert await store.write(_claim(now=1e9)) == []


async def test_urgent_news_does_not_wait_for_the_pause_between_edits(store: Store) -> None:
    await store.write(lambda session: posts.add(session, [_card()]))
    (post,) = await store.write(_claim())
    await _sent(store, post, again_at=500.0)
    await store.write(lambda session: posts.want(session, "run", [1]))
    assert await store.write(_claim(now=100.0)) == []
    await store.write(lambda session: posts.want(session, "run", [1], posts.Wish.URGENT))
    assert len(await store.write(_claim(now=100.0))) == 1


async def test_newest_of_a_topic_takes_the_place_of_those_that_were_said(store: Store) -> None:
    def add(session: Session) -> None:
        for key, note in (("a", "A"), ("b", "B"), ("c", None), ("d", "D")):
            reply = _card(key, run=None, text="words")
            reply.topic, reply.remote_note = "acme/shop#7:answers", note
            session.add(reply)

    await store.write(add)
    old = await store.write(lambda session: posts.outdated(session, "acme/shop#7:answers"))
    assert [post.key for post in old] == ["b", "a"]
    assert await store.write(lambda session: posts.outdated(session, "acme/shop#7:answers")) == []


async def test_message_of_a_run_is_found(store: Store) -> None:
    message = _card("m")
    message.kind, message.remote_id = "slack_message", "C1 170.5"
    await store.write(lambda session: session.add(message))
    assert await store.read(lambda session: posts.message_of(session, 1)) == ("C1", "170.5", None)
    assert await store.read(lambda session: posts.message_of(session, 2)) is None


def _message(run: int = 1) -> Post:
    return Post(key=f"m{run}", kind="slack_message", nonce="n", run_number=run, due_at=1.0, created_at=1.0)


async def _says(store: Store, post: Post, *, again_at: float, refresh_at: float) -> None:
    said = posts.PostedState(post.wanted, posts.Remote("C1 1.5"), again_at, refresh_at=refresh_at)
    await store.write(lambda session: posts.sent(session, post.identity, said, owner="one"))


async def test_what_is_said_anew_after_a_while_is_due_then_and_at_once_where_there_is_news(
    store: Store,
) -> None:
    await store.write(lambda session: posts.add(session, [_message()]))
    (post,) = await store.write(_claim())
    await _says(store, post, again_at=101.0, refresh_at=130.0)
    assert await store.write(_claim(129.0)) == []
    (again,) = await store.write(_claim(130.0))
    await store.write(lambda session: posts.want(session, "run", [1], posts.Wish.GOES_ON))
    await _says(store, again, again_at=131.0, refresh_at=160.0)
    assert await store.write(_claim(130.5)) == []
    (moved,) = await store.write(_claim(131.0))
    await _says(store, moved, again_at=132.0, refresh_at=161.0)
    await store.write(lambda session: posts.want(session, "run", [1]))
    (news,) = await store.write(_claim(131.5))
    await _sent(store, news, again_at=133.0)
    assert await store.write(_claim(1000.0)) == []


async def test_place_of_a_card_on_github_is_known_once_it_is_there(store: Store) -> None:
    card = _card()
    card.place = {"repository": "acme/shop", "issue": 7, "thread": 3}
    await store.write(lambda session: posts.add(session, [card]))
    assert await store.read(lambda s: posts.comment_of(s, 1)) is None
    (post,) = await store.write(_claim())
    said = posts.PostedState(post.wanted, posts.Remote("55"), 0.0)
    await store.write(lambda session: posts.sent(session, post.identity, said, owner="one"))
    found = await store.read(lambda s: posts.comment_of(s, 1))
    assert found == posts.CommentPlace("acme/shop", 7, 55, on_line=True)
