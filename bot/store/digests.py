"""Messages of Slack that tell of several things at once, each a post with facts that grow.

The facts are a row of failures (`bot.catalog.streaks`), the due moments that a schedule missed, or the runs
of a storm. They stand in the post's `place`, so that one claim gives them as they are; every change wants the
message written or edited once more. Which message goes on is told by its topic: the newest.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from bot.store import posts
from bot.store.columns import POST, table_of
from bot.store.prepared import Prepared
from bot.store.statements import one
from bot.store.wakeups import wake
from bot.tables import Post

KIND = "slack_digest"
QUIET = "quiet"
"""The state of a post that says nothing until there is something to say."""

_PLAIN: dict[str, Any] = {"synchronize_session": False}
_BY_KEY = Prepared(
    select(POST.id, POST.state, POST.sent, POST.nonce, POST.place).where(POST.key == bindparam("key"))
)


@dataclass(frozen=True, slots=True)
class Digest:
    """What a message is of: its `topic` is by whom and where it is told, its `key` which of them it is.

    `place` has the channel and what stays, `facts` what grows.
    """

    topic: str
    key: str
    place: Mapping[str, Any]
    facts: Mapping[str, Any]
    nonce: str
    at: float
    is_open: bool = True


def newest(session: Session, topic: str) -> Post | None:
    """The newest message of a topic, held until the transaction ends."""
    query = select(Post).where(POST.topic == topic).order_by(POST.id.desc()).limit(1).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def by_key(session: Session, key: str) -> Post | None:
    """The message with a key, held until the transaction ends."""
    query = select(Post).where(POST.key == key).with_for_update()
    return session.scalar(query.execution_options(populate_existing=True))


def newest_of(session: Session, topics: Collection[str]) -> dict[str, Post]:
    """The newest message of each of these topics that has any; in one statement for up to `PART`."""
    names, rows = sorted(topics), dict[str, Post]()
    for start in range(0, len(names), posts.PART):
        query = select(Post).where(POST.topic.in_(names[start : start + posts.PART])).order_by(POST.id)
        found = session.scalars(query.with_for_update().execution_options(populate_existing=True))
        rows |= {row.topic: row for row in found if row.topic is not None}
    return rows


def begin(session: Session, digest: Digest) -> None:
    """Store a new message; said at once if it is open."""
    row = Post(
        kind=KIND,
        key=digest.key,
        place={**digest.place, "facts": dict(digest.facts)},
        nonce=digest.nonce,
        topic=digest.topic,
        state="open" if digest.is_open else QUIET,
        created_at=digest.at,
    )
    posts.add(session, [row])


def change(session: Session, row: Post, facts: Mapping[str, Any], *, says: bool, **place: Any) -> None:
    """Keep new facts of a message; `says`: it is written or edited."""
    values: dict[str, Any] = {"place": {**row.place, **place, "facts": dict(facts)}}
    if says:
        values |= {"state": "open", "wanted": POST.wanted + 1}
        wake(session, "posts")
    session.execute(update(Post).where(POST.id == row.id).values(**values).execution_options(**_PLAIN))


def card_key(run: int, channel: str) -> str:
    """The key of a run's card in a channel."""
    return f"run:{run}:slack_message:{channel}"


@dataclass(frozen=True, slots=True)
class Message:
    """Where a post is to be read: the channel's id and the message's `ts`, both empty before it is there.

    `storm`: it tells of others as well.
    """

    channel: str
    ts: str
    storm: bool


def message_of(session: Session, key: str) -> Message | None:
    """The message that tells of the post with a key; None where there is no such post."""
    query = select(POST.remote_id, POST.place).where(POST.key == key)
    found = session.execute(query).first()
    storm = None if found is None else found.place.get("storm")
    if storm is not None:
        found = session.execute(select(POST.remote_id, POST.place).where(POST.key == storm)).first()
    if found is None:
        return None
    channel, _, ts = (found.remote_id or "").partition(" ")
    return Message(channel, ts, storm is not None)


def card(session: Session, key: str) -> Any:
    """Id, state, sent, nonce and place of the post with a key; None where there is none."""
    return one(session, _BY_KEY, {"key": key})


def show(session: Session, key: str, **occasion: Any) -> bool:
    """Let a card that was quiet be posted now, for an occasion; False where it is none that is quiet."""
    found = card(session, key)
    if found is None or found.state != QUIET:
        return False
    values = {"state": "open", "due_at": posts.AT_ONCE, "place": {**found.place, "occasion": occasion}}
    session.execute(update(table_of(Post)).where(POST.id == found.id, POST.state == QUIET).values(**values))
    wake(session, "posts")
    return True


def show_build(session: Session, number: int) -> None:
    """Let the cards of a build that were quiet be posted now: it failed."""
    quiet = (POST.build_number == number, POST.state == QUIET)
    session.execute(update(table_of(Post)).where(*quiet).values(state="open", due_at=posts.AT_ONCE))
    wake(session, "posts")


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` messages (and what stands below them) of which nothing was told since `before`.

    The newest of a topic stays: what is to come goes on with it.
    """
    kinds, states = (KIND, "slack_note"), ("done", "failed", QUIET)
    newest = select(func.max(POST.id)).where(POST.topic.is_not(None)).group_by(POST.topic)
    old = (POST.state.in_(states), POST.due_at < before, POST.created_at < before, POST.kind.in_(kinds))
    some = select(POST.id).where(*old, POST.id.not_in(newest)).limit(limit)
    gone = session.execute(delete(Post).where(POST.id.in_(some)).execution_options(**_PLAIN))
    return cast("CursorResult[Any]", gone).rowcount


def drop(session: Session, key: str) -> None:
    """What was to be said later is not said any more."""
    session.execute(update(table_of(Post)).where(POST.key == key, POST.state == "open").values(state="done"))
