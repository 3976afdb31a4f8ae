"""Posts: what is to be said where. `wanted` counts what there is to say, `sent` how far it was said."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.bells import ring
from bot.store.claims import claim as claim_rows
from bot.store.columns import POST
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
    return claim_rows(session, Post, conditions, owner=owner, span=(now, now + lease), limit=limit)


def sent(
    session: Session, id: int, *, rev: int, remote_id: str | None, again_at: float, done: bool = False
) -> None:
    """`rev` (the post's `wanted` when it was read) was said; `done`: nothing will ever be wanted again.

    What is not urgent is not said again before `again_at`, so that many changes make one edit.
    What was wanted meanwhile is still to be said, even when `done`.
    """
    latest = POST.wanted <= rev
    session.execute(
        update(Post)
        .where(POST.id == id)
        .values(
            sent=case((POST.sent > rev, POST.sent), else_=rev),
            remote_id=func.coalesce(literal(remote_id), POST.remote_id),
            state=case((latest, "done"), else_=POST.state) if done else POST.state,
            due_at=case((POST.due_at == _AT_ONCE, _AT_ONCE), else_=again_at),
            attempts=0,
            error=None,
            **_FREE,
        )
        .execution_options(synchronize_session=False)
    )
    if session.scalar(select(POST.wanted).where(POST.id == id, POST.wanted > rev)) is not None:
        ring(session, "posts")


def retry(session: Session, id: int, *, due_at: float, error: str) -> None:
    """It was not said; try again from `due_at` on."""
    session.execute(
        update(Post)
        .where(POST.id == id)
        .values(due_at=due_at, error=error, **_FREE)
        .execution_options(synchronize_session=False)
    )
    ring(session, "posts")


def fail(session: Session, id: int, *, error: str) -> None:
    """It will not be said; `error` tells the operator why."""
    session.execute(
        update(Post)
        .where(POST.id == id)
        .values(state="failed", error=error, **_FREE)
        .execution_options(synchronize_session=False)
    )
