"""Commits of forks that may be built and run."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.store import admission
from bot.store.columns import FORK_COMMIT
from bot.tables import ForkCommit


def of(session: Session, repository: str, commit: str) -> ForkCommit | None:
    """What was said of a commit."""
    mine = (FORK_COMMIT.repository == repository.casefold(), FORK_COMMIT.commit == commit)
    return session.scalar(select(ForkCommit).where(*mine))


def add(session: Session, row: ForkCommit) -> bool:
    """Note that a commit may be built and run; False where that was said before.

    Of each pull request the last one counts: an older commit of it is not its head any more.
    """
    admission.hold(session)
    row.repository = row.repository.casefold()
    if of(session, row.repository, row.commit) is not None:
        return False
    older = (FORK_COMMIT.repository == row.repository, FORK_COMMIT.pull == row.pull)
    session.execute(delete(ForkCommit).where(*older))
    session.add(row)
    session.flush()
    return True
