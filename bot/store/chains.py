"""What follows a run that has succeeded: stored as a delivery as it ends, and decided from that.

So it happens once, whatever becomes of the bot meanwhile: the delivery is known by the run's number, and each
run that follows by that and its place.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.catalog import chains
from bot.catalog.chains import Link
from bot.states import State
from bot.store import deliveries, posts
from bot.store.columns import RUN
from bot.store.posts import Wish
from bot.store.wakeups import changed, wake
from bot.tables import Build, Run, packed
from executor.spec import Result

SOURCE = "chain"
"""Where such a delivery comes from."""

MOST = 100
"""Runs of a chain that are shown, and that there may be of one."""

Followed = Sequence[Mapping[str, Any]]
"""What became of each job that was to follow: `job`, and the number of its `run`, or `why` there is none."""


def moved(session: Session, row: Run | Build, wish: Wish) -> None:
    """A run has changed: what follows its success is asked for, and its chain is shown anew."""
    if not isinstance(row, Run):
        return
    if row.state == State.FINISHED and row.result == Result.SUCCEEDED and row.definition.get("then"):
        body = packed(json.dumps({"run": row.number}).encode())
        at = row.finished_at or row.created_at
        deliveries.insert(
            session.connection(), [(f"{SOURCE}:{row.number}", SOURCE, "then", "application/json", body, at)]
        )
        wake(session, "deliveries")
    if row.chain is not None:
        _look_again(session, row.chain, wish)


def settle(session: Session, number: int, followed: Followed) -> None:
    """Keep what became of what was to follow a run, and show it."""
    values = {"followed": [dict(each) for each in followed]}
    session.execute(
        update(Run).where(RUN.number == number).values(values).execution_options(synchronize_session=False)
    )
    run = session.get(Run, number, populate_existing=True)
    if run is not None:
        posts.want(session, "run", [number], Wish.URGENT)
        changed(session, run)
        if run.chain is not None:
            _look_again(session, run.chain, Wish.URGENT)


def _look_again(session: Session, chain: int, wish: Wish) -> None:
    posts.want(session, "run", [chain], wish)
    first = session.get(Run, chain)
    if first is not None:
        changed(session, first)


def jobs_before(session: Session, run: Run) -> list[str]:
    """The jobs of the runs that led to this one, itself included, the first one last."""
    names, each = [run.job], run
    while each.follows is not None and len(names) < chains.LONGEST:
        earlier = session.get(Run, each.follows)
        if earlier is None:
            break
        each = earlier
        names.append(each.job)
    return names


def size(session: Session, run: Run) -> int:
    """How many runs the chain has, at most `MOST`."""
    first = run.chain or run.identity
    return len(session.scalars(select(RUN.number).where(RUN.chain == first).limit(MOST)).all()) + 1


def members(
    session: Session, first: int, *, jobs: Collection[str] | None, limit: int, before: int | None
) -> list[Run]:
    """The runs of the chain that began with the run `first`, newest first; of these `jobs`, if given."""
    mine = [or_(RUN.number == first, RUN.chain == first)]
    if jobs is not None:
        mine.append(RUN.job.in_(sorted(jobs)))
    if before is not None:
        mine.append(RUN.number < before)
    return list(session.scalars(select(Run).where(*mine).order_by(RUN.number.desc()).limit(limit)))


def of_run(session: Session, run: Run) -> list[Link]:
    """The chain that a run is of, in the order of its runs; nothing for one that is of none."""
    if run.chain is None and not run.definition.get("then"):
        return []
    first = run.chain or run.identity
    mine = select(Run).where(or_(RUN.number == first, RUN.chain == first))
    links: list[Link] = []
    for each in session.scalars(mine.order_by(RUN.number).limit(MOST)):
        links.append(
            Link(
                each.job,
                each.identity,
                each.state,
                each.result,
                each.follows,
                public=each.public,
                repository=each.repository,
            )
        )
        links += _unstarted(each)
    return links


def _unstarted(run: Run) -> list[Link]:
    """What was to follow a run and did not, or is still to."""
    if run.followed is not None:
        return [
            Link(each["job"], after=run.number, why=each["why"]) for each in run.followed if "why" in each
        ]
    if run.state == State.FINISHED and run.result != Result.SUCCEEDED:
        return []
    return [Link(each.job, after=run.number) for each in chains.of_definition(run.definition)]
