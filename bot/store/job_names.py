"""Names of jobs that were another job's before."""

from sqlalchemy.orm import Session

from bot.store import history, hooks, image_tags
from bot.tables import JobVersion


def why_taken(session: Session, last: JobVersion) -> str | None:
    """Why the name of this newest version is not free for another source; None where it is.

    The source that has it, or `history`: runs of the job that was called so are kept.
    """
    if not last.deleted:
        return last.source
    return "history" if history.has_any(session, last.job) else None


def forget_all(session: Session, name: str) -> None:
    """Forget what would open, start or move a job that is no more, or another one of its name."""
    history.forget_schedule(session, name)
    hooks.forget(session, name)
    image_tags.drop(session, name)
