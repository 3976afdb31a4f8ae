"""Posts: what is to be said where. `wanted` counts what there is to say, `sent` how far it was said."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.claims import claim as claim_rows
from bot.store.columns import POST
from bot.store.leases import LeaseLost
from bot.store.wakeups import ring
from bot.tables import Post

_AT_ONCE = 0.0
"""The `due_at` of a post that is urgent; all others have a time."""

_FREE: dict[str, Any] = {"lease_owner": None, "lease_until": 0.0}


def add(session: Session, posts: Sequence[Post]) -> None:
    """Add what is to be said; a post whose key exists already is left as it is."""
    _insert(session, [post.model_dump(exclude={"id"}) for post in posts])


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(make(Post).on_conflict_do_nothing(index_elements=["key"]), rows)
    ring(session, "posts")


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


def want(
    session: Session, *, runs: Collection[int] = (), builds: Collection[int] = (), urgent: bool = False
) -> None:
    """The cards of these runs and builds (by number) have something new to show; replies never do.

    `urgent`: at once, however short ago they were sent. A place that asked to wait is waited for.
    """
    due_at = case((POST.error.is_(None), _AT_ONCE), else_=POST.due_at) if urgent else POST.due_at
    for column, numbers in ((POST.run_number, runs), (POST.build_number, builds)):
        if not numbers:
            continue
        session.execute(
            update(Post)
            .where(column.in_(numbers), POST.text.is_(None), POST.state == "open")
            .values(wanted=POST.wanted + 1, due_at=due_at)
            .execution_options(synchronize_session=False)
        )
        ring(session, "posts")


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Post]:
    """Take up to `limit` posts that have something to say, are due and that nobody holds."""
    conditions = [POST.state == "open", POST.sent < POST.wanted]
    return claim_rows(session, Post, conditions, owner=owner, span=(now, lease), limit=limit)


def wanted(session: Session, id: int) -> int:
    """How much of a post is wanted by now; 0 for one that is gone."""
    return session.scalar(select(POST.wanted).where(POST.id == id)) or 0


@dataclass(frozen=True, slots=True)
class Said:
    """What was said: the post's `wanted` when its subject was read, and what the place calls it.

    What is not urgent is not said again before `again_at`, so that many changes make one edit. `done`:
    nothing will ever be wanted again, besides what was wanted meanwhile.
    """

    rev: int
    remote_id: str | None
    again_at: float
    done: bool = False


def sent(session: Session, id: int, said: Said, *, owner: str) -> None:
    """A post that `owner` holds was said; raises `LeaseLost` where another bot has it.

    That one looks for what was said by its marker, and finds it.
    """
    rev = said.rev
    state = case((POST.wanted <= rev, "done"), else_=POST.state) if said.done else POST.state
    wanted = _change(
        session,
        id,
        owner,
        sent=case((POST.sent > rev, POST.sent), else_=rev),
        remote_id=func.coalesce(literal(said.remote_id), POST.remote_id),
        state=state,
        due_at=case((and_(POST.wanted > rev, POST.due_at == _AT_ONCE), _AT_ONCE), else_=said.again_at),
        attempts=0,
        error=None,
    )
    if wanted > rev:
        ring(session, "posts")


def retry(session: Session, id: int, *, owner: str, due_at: float, error: str) -> None:
    """A post that `owner` holds was not said; try again from `due_at` on. Raises `LeaseLost`."""
    _change(session, id, owner, due_at=due_at, error=error)
    ring(session, "posts")


def fail(session: Session, id: int, *, owner: str, error: str) -> None:
    """A post that `owner` holds will not be said; `error` tells the operator why. Raises `LeaseLost`."""
    _change(session, id, owner, state="failed", error=error)


def _change(session: Session, id: int, owner: str, **values: Any) -> int:
    """Settle a post that `owner` holds; gives how much of it is wanted."""
    wanted = session.scalar(
        update(Post)
        .where(POST.id == id, POST.lease_owner == owner)
        .values(**values, **_FREE)
        .returning(POST.wanted)
        .execution_options(synchronize_session=False)
    )
    if wanted is None:
        raise LeaseLost(f"post {id} is not held by {owner}")
    return int(wanted)
