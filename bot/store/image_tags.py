"""Tags that jobs run instead of what their images say, until a newer word about the image counts.

Newer are: another tag, an image that says something else now, and a push to the default branch once what it
brought is built.
"""

from collections.abc import Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from bot.states import ERRAND, EntryKind
from bot.store import journal
from bot.store.columns import IMAGE_TAG
from bot.tables import ImageTag, JournalEntry


def of(session: Session, job: str) -> ImageTag | None:
    """The tag that was chosen for a job last; `bot.handlers.enqueuing` says whether it still counts."""
    return session.get(ImageTag, job)


def all(session: Session) -> Mapping[str, ImageTag]:
    """Those of all jobs, by name."""
    return {row.job: row for row in session.scalars(select(ImageTag))}


def choose(session: Session, row: ImageTag) -> ImageTag:
    """Let a job run another tag from now on."""
    merged = session.merge(row)
    session.flush()
    return merged


def drop(session: Session, job: str) -> ImageTag | None:
    """Let a job run what its image says again; gives what it ran, None where nothing was chosen."""
    row = session.get(ImageTag, job)
    if row is not None:
        session.delete(row)
        session.flush()
    return row


def pushed(session: Session, image: str, commit: str) -> None:
    """The default branch has this commit now: once the image is built from it, jobs run that again."""
    mine = update(ImageTag).where(IMAGE_TAG.image == image).values(pushed=commit)
    session.execute(mine.execution_options(synchronize_session=False))


def built(session: Session, image: str, commit: str, *, now: float) -> None:
    """The image is built from this commit: jobs whose tag waited for it run what is built again."""
    mine = delete(ImageTag).where(IMAGE_TAG.image == image, IMAGE_TAG.pushed == commit)
    gone = session.execute(
        mine.returning(IMAGE_TAG.job, IMAGE_TAG.tag).execution_options(synchronize_session=False)
    ).all()
    entries = [
        JournalEntry(
            at=now,
            kind=EntryKind.TAG_DROPPED,
            actor=ERRAND,
            subject=f"job:{row.job}",
            job=row.job,
            rule="a push was built",
            facts={"image": image, "tag": row.tag, "commit": commit},
        )
        for row in gone
    ]
    journal.record(session, entries)
