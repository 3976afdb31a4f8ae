"""Runs that wait for a yes and are looked at now, since what a yes is bound to may have changed.

Each is one statement within the transaction of what happened, over the held runs alone; whether something has
changed is found out by who looks, see `bot.handlers.releases`.
"""

from typing import Any, cast

from sqlalchemy import CursorResult, func, update
from sqlalchemy.orm import Session

from bot.states import Hold
from bot.store.columns import RUN, table_of
from bot.store.wakeups import wake
from bot.tables import Run


def of_job(session: Session, job: str, *, now: float) -> int:
    """The definition of `job` is another one now, or gone; gives how many runs are looked at."""
    # Few are held at all, whose index is to be used, and not that of the jobs.
    return _look(session, now, RUN.job.concat("") == job)


def of_pull(session: Session, repository: str, pull: int, head: str | None, *, now: float) -> int:
    """The pull request has the commit `head` now; None: it is over."""
    moved = [] if head is None else [RUN.commit.is_distinct_from(head)]
    return _look(session, now, _here(repository), RUN.pull_request == pull, *moved)


def of_branch(session: Session, repository: str, branch: str, head: str, *, now: float) -> int:
    """The branch, which may be a pull request's, has the commit `head` now; zeros: it is gone."""
    moved = (RUN.ref == branch, RUN.commit.is_distinct_from(head))
    return _look(session, now, _here(repository), RUN.pull_request.is_not(None), *moved)


def of_image(session: Session, image: str, digest: str, *, now: float) -> int:
    """The image of this name was just found to be `digest`."""
    return _look(session, now, RUN.image == image, RUN.image_definition.is_not(None), RUN.digest != digest)


def _here(repository: str) -> Any:
    return func.lower(RUN.repository) == repository.casefold()


def _look(session: Session, now: float, *conditions: Any) -> int:
    is_held = (RUN.hold.is_not(None), RUN.hold == Hold.APPROVAL)
    done = session.execute(update(table_of(Run)).where(*is_held, *conditions).values(due_at=now))
    count = cast("CursorResult[Any]", done).rowcount
    if count:
        wake(session, "holds")
    return count
