"""Posts: what is to be said where. `wanted` counts what there is to say, `sent` how far it was said."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Integer,
    String,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.claims import Claim
from bot.store.columns import BUILD, POST, RUN, key_of, table_of
from bot.store.leases import LeaseLost
from bot.store.prepared import Prepared
from bot.store.statements import one, rows_of, run_all
from bot.store.wakeups import wake
from bot.tables import Build, Post, Run

AT_ONCE = 0.0
"""The `due_at` of a post that is urgent; all others have a time."""

_FREE: dict[str, Any] = {"lease_owner": None, "lease_until": 0.0}

_CLAIM = Claim(
    Post,
    [POST.state == "open", POST.sent < POST.wanted],
    order=[case((POST.sent == 0, 0), else_=1), POST.id.desc()],
)
"""What was never said comes before what is corrected, and of both the newest."""

_WISHES = "wishes"
EARLIER = "earlier_wishes"
"""What the `info` of a session has of the wishes of what is committed together with it."""

_STATUSES = ("github_status", "github_deployment")
"""What says only whether it goes on: every time is one more, of which GitHub keeps a thousand."""

_SUBJECTS = ((POST.run_number, RUN), (POST.build_number, BUILD))

TELLS_TIME: ColumnElement[bool] = and_(
    POST.kind == "slack_message",
    POST.sent > 0,
    POST.wanted == POST.sent + 1,
    POST.due_at > AT_ONCE,
    POST.error.is_(None),
)
"""A card with no more news than that time goes on: it waits to say so, and nothing is late."""

PART = 1000
"""Numbers that one statement names; databases take some ten thousand."""


def add(session: Session, posts: Sequence[Post]) -> None:
    """Add what is to be said; a post whose key exists already is left as it is."""
    _insert(session, [post.model_dump(exclude={"id"}) for post in posts])


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    run_all(session, _insert_new(session.get_bind().dialect.name), rows)
    wake(session, "posts")


@cache
def _insert_new(dialect: str) -> Prepared:
    make: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    values = {each.name: bindparam(each.name, type_=each.type) for each in POST if each.name != "id"}
    return Prepared(make(table_of(Post)).values(values).on_conflict_do_nothing(index_elements=["key"]))


def told_at(session: Session, numbers: Sequence[int], places: Sequence[str]) -> set[int]:
    """Which of these runs have a card at one of these places (the keys of `bot.posting.targets`)."""
    keys = [f"run:{number}:{place}" for number in numbers for place in places]
    found = session.scalars(select(POST.run_number).where(POST.key.in_(keys)))
    return {number for number in found if number is not None}


def add_cards(
    session: Session, cards: Sequence[Post], *, run: int | None = None, build: int | None = None
) -> None:
    """Add the cards of one run or build; `run:<number>:` or `build:<number>:` is put before their keys."""
    about = f"run:{run}" if run is not None else f"build:{build}"
    # The cards themselves stay as they are: this may be run again after a failed commit.
    _insert(
        session,
        [
            card.model_dump(exclude={"id"})
            | {"key": f"{about}:{card.key}", "run_number": run, "build_number": build}
            for card in cards
        ],
    )


def add_all(session: Session, cards: Sequence[tuple[Post, int]]) -> None:
    """Add the cards of many runs, each with the number of its run, as `add_cards` does."""
    _insert(
        session,
        [
            card.model_dump(exclude={"id"}) | {"key": f"run:{number}:{card.key}", "run_number": number}
            for card, number in cards
        ],
    )


class Wish(IntEnum):
    """How much there is to show: only that it goes on (which statuses never show), news, or news at once."""

    GOES_ON = 0
    NEWS = 1
    URGENT = 2


def want(
    session: Session, kind: Literal["run", "build"], numbers: Collection[int], wish: Wish = Wish.NEWS
) -> None:
    """The cards of these runs or builds (by number) have something new to show; replies never do.

    What is urgent is shown at once, however short ago they were sent. A place that asked to wait is waited
    for. It is noted with the commit, for all that is committed together.
    """
    if numbers:
        wishes: Wishes = session.info.setdefault(_WISHES, Wishes())
        wishes.add(f"{kind}_number", numbers, wish)
        wake(session, "posts")


class Wishes:
    """The cards that have something new to show, by the number of their run or build, each once."""

    def __init__(self) -> None:
        self._wishes: dict[tuple[str, int], Wish] = {}

    def add(self, column: str, numbers: Collection[int], wish: Wish) -> None:
        """The cards whose `column` is one of `numbers`; what is urgent once stays so."""
        for number in numbers:
            self._wishes[column, number] = max(wish, self._wishes.get((column, number), wish))

    def take(self, session: Session) -> None:
        """Add what was wanted in a session."""
        others: Wishes | None = session.info.get(_WISHES)
        for (column, number), wish in others._wishes.items() if others is not None else ():
            self.add(column, [number], wish)

    def note(self, connection: Connection) -> None:
        """Count them as wanted, in a few statements however many they are; then there are none."""
        numbers: dict[tuple[str, Wish], list[int]] = {}
        for (column, number), wish in self._wishes.items():
            numbers.setdefault((column, wish), []).append(number)
        self._wishes.clear()
        for (column, wish), group in numbers.items():
            for start in range(0, len(group), PART):
                names = _names(sorted(group[start : start + PART]))
                _more_wanted(column, wish, len(names)).rows(connection, names)


def _names(numbers: Sequence[int]) -> dict[str, int]:
    """Numbers as parameters by name: up to the next power of two, so that few statements are kept."""
    size = 1 << (len(numbers) - 1).bit_length()
    return {f"of_{at}": numbers[min(at, len(numbers) - 1)] for at in range(size)}


def _is_one_of(column: Any, size: int) -> Any:
    return column.in_([bindparam(f"of_{at}", type_=Integer) for at in range(size)])


@cache
def _more_wanted(column: str, wish: Wish, size: int) -> Prepared:
    goes_on = wish is Wish.GOES_ON
    at_once: Any = POST.error.is_(None)
    if wish is Wish.NEWS:  # of which a card that waits to tell the time says more
        at_once = and_(at_once, POST.kind == "slack_message")
    due_at = POST.due_at if goes_on else case((at_once, AT_ONCE), else_=POST.due_at)
    these: list[Any] = [_is_one_of(POST[column], size), POST.text.is_(None), POST.state == "open"]
    if goes_on:
        these.extend(POST.kind != kind for kind in _STATUSES)
    return Prepared(update(table_of(Post)).where(*these).values(wanted=POST.wanted + 1, due_at=due_at))


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Post]:
    """Take up to `limit` posts that have something to say, are due and nobody holds, the newest first.

    Each comes with its `subject` as it is now; what that shows is counted as wanted before.
    """
    earlier: Wishes | None = session.info.get(EARLIER)
    if earlier is not None:
        earlier.note(session.connection())
    claimed = _CLAIM.take(session, owner=owner, span=(now, lease), limit=limit)
    _look_up(session, Run, "run_number", claimed)
    _look_up(session, Build, "build_number", claimed)
    return claimed


def refresh(session: Session, post: Post) -> None:
    """Bring a claimed post and its `subject` to how they stand now."""
    found = one(session, _NEWEST, {"of": post.identity})
    if found is not None:
        vars(post).update(wanted=int(found.wanted), place=found.place)
        _look_up(session, Run, "run_number", [post])
        _look_up(session, Build, "build_number", [post])


def _look_up(session: Session, table: type[Run] | type[Build], column: str, claimed: Sequence[Post]) -> None:
    telling = [(post, number) for post in claimed if (number := getattr(post, column)) is not None]
    if telling:
        names = _names(sorted({number for _, number in telling}))
        rows = {row.number: row for row in rows_of(session, table, _numbered(table, len(names)), names)}
        for post, number in telling:
            vars(post)["subject"] = rows.get(number)


@cache
def _numbered(table: type[Run | Build], size: int) -> Prepared:
    return Prepared(select(*table_of(table).c).where(_is_one_of(key_of(table), size)))


@dataclass(frozen=True, slots=True)
class Remote:
    """What was said as its place knows it: its id there, and a note (see `bot.tables.Post`)."""

    id: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PostedState:
    """What was said: the post's `wanted` when it was claimed, and what the place calls it.

    What is not urgent is not said again before `again_at`, so that many changes make one edit. `done`:
    nothing will ever be wanted again, besides what was wanted meanwhile. `refresh_at`: it is said anew then,
    whatever happens until then.
    """

    rev: int
    remote: Remote | None
    again_at: float
    done: bool = False
    refresh_at: float | None = None


def sent(session: Session, id: int, state: PostedState, *, owner: str) -> None:
    """A post that `owner` holds was said; raises `LeaseLost` where another bot has it.

    That one looks for what was said by its marker, and finds it.
    """
    remote, note = (None, None) if state.remote is None else (state.remote.id, state.remote.note)
    values = {"rev": state.rev, "remote": remote, "note": note, "again_at": state.again_at}
    refreshes = state.refresh_at is not None
    if refreshes:
        values["refresh_at"] = state.refresh_at
    if _settle(session, id, owner, _sent(state.done, refreshes), values) > state.rev:
        wake(session, "posts")


@cache
def _sent(done: bool, refreshes: bool) -> Prepared:
    rev: Any = bindparam("rev", type_=Integer)
    again_at: Any = bindparam("again_at", type_=Double)
    refresh_at: Any = bindparam("refresh_at", type_=Double) if refreshes else again_at
    is_behind = POST.wanted > rev
    return _settlement(
        sent=case((POST.sent > rev, POST.sent), else_=rev),
        remote_id=func.coalesce(bindparam("remote", type_=String), POST.remote_id),
        remote_note=func.coalesce(bindparam("note", type_=String), POST.remote_note),
        state=case((POST.wanted <= rev, "done"), else_=POST.state) if done else POST.state,
        due_at=case(
            (and_(is_behind, POST.due_at == AT_ONCE), AT_ONCE), (is_behind, again_at), else_=refresh_at
        ),
        wanted=case((is_behind, POST.wanted), else_=rev + 1) if refreshes else POST.wanted,
        attempts=0,
        error=None,
    )


def message_of(session: Session, run: int) -> tuple[str, str, str | None] | None:
    """The channel and the time of a run's message in Slack, and the message whose thread it is in, if any."""
    of_run = (POST.run_number == run, POST.kind == "slack_message", POST.remote_id.contains(" "))
    query = select(POST.remote_id, POST.place).where(*of_run).order_by(POST.id).limit(1)
    found = session.execute(query).first()
    if found is None:
        return None
    return message_at(found[0], found[1])


def message_at(remote: str, place: Mapping[str, Any]) -> tuple[str, str, str | None] | None:
    """The same of one post, by its `remote_id` and `place`; None for what is no message."""
    channel, _, ts = remote.partition(" ")
    return (channel, ts, place.get("thread")) if ts else None


@dataclass(frozen=True, slots=True)
class CommentPlace:
    """A comment of ours in a pull request, perhaps `on_line` of its code."""

    repository: str
    issue: int
    comment: int
    on_line: bool


def comment_of(session: Session, run: int) -> CommentPlace | None:
    """Where the card of a run on GitHub is, once it is there."""
    of_run = (POST.run_number == run, POST.kind == "github_comment", POST.remote_id.is_not(None))
    query = select(POST.place, POST.remote_id).where(*of_run).order_by(POST.id).limit(1)
    found = session.execute(query).first()
    if found is None:
        return None
    place, comment = found
    return CommentPlace(place["repository"], place["issue"], int(comment), "thread" in place)


def outdated(session: Session, topic: str) -> list[Post]:
    """The posts of a topic whose place a newer one has taken: said, and of nothing that is under way.

    They are of no topic any more.
    """
    old = rows_of(session, Post, _OUTDATED, {"topic": topic})
    if old:
        these = POST.id.in_([post.id for post in old])
        session.execute(update(table_of(Post)).where(these).values(topic=None))
    return old


_OUTDATED = Prepared(
    select(*POST)
    .outerjoin(table_of(Run), POST.run_number == RUN.number)
    .outerjoin(table_of(Build), POST.build_number == BUILD.number)
    .where(
        POST.topic == bindparam("topic"),
        POST.remote_note.is_not(None),
        *(or_(key.is_(None), row.state == State.FINISHED) for key, row in _SUBJECTS),
    )
    .order_by(POST.id.desc())
    .offset(1)
    .limit(PART)
)


def retry(session: Session, id: int, *, owner: str, due_at: float, error: str) -> None:
    """A post that `owner` holds was not said; try again from `due_at` on. Raises `LeaseLost`."""
    _settle(session, id, owner, _RETRY, {"again_at": due_at, "why": error})
    wake(session, "posts")


def fail(session: Session, id: int, *, owner: str, error: str) -> None:
    """A post that `owner` holds will not be said; `error` tells the operator why. Raises `LeaseLost`."""
    _settle(session, id, owner, _FAIL, {"why": error})


def _settle(session: Session, id: int, owner: str, statement: Prepared, values: dict[str, Any]) -> int:
    """Settle a post that `owner` holds; gives how much of it is wanted."""
    settled = one(session, statement, {"of": id, "owner": owner, **values})
    if settled is None:
        raise LeaseLost(f"post {id} is not held by {owner}")
    return int(settled[0])


def _settlement(**values: Any) -> Prepared:
    mine = [POST.id == bindparam("of"), POST.lease_owner == bindparam("owner")]
    return Prepared(update(table_of(Post)).where(*mine).values(**values, **_FREE).returning(POST.wanted))


_RETRY = _settlement(due_at=bindparam("again_at"), error=bindparam("why"))
_FAIL = _settlement(state="failed", error=bindparam("why"))
_NEWEST = Prepared(select(POST.wanted, POST.place).where(POST.id == bindparam("of")))
