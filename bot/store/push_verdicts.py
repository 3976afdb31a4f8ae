"""What pushes decided of each image: for who asks why, and for the order of pushes, which is one per image.

A push that built nothing of an image makes no older push of that image too old. What stands in the way of
an older push is only what built the image, what deleted the ref, and what nobody kept a verdict of: a push
that was decided by a version of Errand before verdicts were rows.
"""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.orm import Session, aliased

from bot.store import pushes
from bot.store.columns import PUSH, PUSH_VERDICT
from bot.tables import PushSeen, PushVerdict

BUILT, FILTERED, OLDER, REPEATED, DELETED = "built", "filtered", "older", "repeated", "deleted"


def orders(session: Session, row: PushSeen, images: Collection[str]) -> dict[str, pushes.Order]:
    """For each of `images` how `row`, which is older than what its ref is at, stands to what built it."""
    general = _decisive_for_all(session, row)
    built = _newest_built(session, row, images)
    found: dict[str, pushes.Order] = {}
    for image in images:
        rivals = [each for each in (built.get(image), general) if each is not None]
        answers = {_order(row, rival) for rival in rivals}
        found[image] = next((each for each in ("same", "older") if each in answers), "new")
    return found


def _order(row: PushSeen, rival: pushes.Pushed) -> pushes.Order:
    if (row.before, row.after) == (rival.before, rival.after):
        return "same"
    return pushes.compared(row, rival, None)


def _decisive_for_all(session: Session, row: PushSeen) -> PushSeen | None:
    """The newest push of the ref that deleted it, or of which no verdict is kept."""
    kept = select(PUSH_VERDICT.id).where(PUSH_VERDICT.delivery_id == PUSH.delivery_id).exists()
    return session.scalar(
        select(PushSeen)
        .where(PUSH.repository == row.repository, PUSH.ref == row.ref, pushes.IS_DELETION | ~kept)
        .order_by(PUSH.id.desc())
        .limit(1)
    )


def _newest_built(session: Session, row: PushSeen, images: Collection[str]) -> dict[str, PushVerdict]:
    """By image the push that built it last; a later one was never older, so its id is the highest."""
    newest = (
        select(func.max(PUSH_VERDICT.id))
        .where(
            PUSH_VERDICT.repository == row.repository,
            PUSH_VERDICT.ref == row.ref,
            PUSH_VERDICT.image.in_(images),
            PUSH_VERDICT.verdict == BUILT,
        )
        .group_by(PUSH_VERDICT.image)
    )
    rows = session.scalars(select(PushVerdict).where(PUSH_VERDICT.id.in_(newest)))
    return {verdict.image: verdict for verdict in rows}


def newest(
    session: Session, *, repositories: Collection[str], image: str, limit: int
) -> Sequence[PushVerdict]:
    """The last pushes that said something of `image` while it was built from the repository, newest first.

    `repositories` are what that is known by: its number, its name in small letters.
    """
    mine = [PUSH_VERDICT.image == image, PUSH_VERDICT.repository.in_(repositories)]
    return session.scalars(
        select(PushVerdict).where(*mine).order_by(PUSH_VERDICT.id.desc()).limit(limit)
    ).all()


def prune(session: Session, *, before: float, limit: int) -> int:
    """Forget up to `limit` verdicts of pushes that came before a moment, oldest first.

    What built an image last from a ref that exists is kept: older pushes are measured by it.
    """
    newer = cast("Any", aliased(PushVerdict))
    followed = (
        select(newer.id)
        .where(
            newer.repository == PUSH_VERDICT.repository,
            newer.ref == PUSH_VERDICT.ref,
            newer.image == PUSH_VERDICT.image,
            newer.verdict.in_((BUILT, DELETED)),
            newer.id > PUSH_VERDICT.id,
        )
        .exists()
    )
    old = (
        select(PUSH_VERDICT.id)
        .where(PUSH_VERDICT.received_at < before, (PUSH_VERDICT.verdict != BUILT) | followed)
        .order_by(PUSH_VERDICT.id)
        .limit(limit)
    )
    gone = delete(PushVerdict).where(PUSH_VERDICT.id.in_(old)).execution_options(synchronize_session=False)
    return cast("CursorResult[Any]", session.execute(gone)).rowcount
