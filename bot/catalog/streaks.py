"""Failures in a row, and what of a run's end a channel is told. Pure: what happened, and `when`, decide.

The failures in a row of one job are one message, which is edited and counts. Slack does not notify of edits,
so what is news again (a further cause, `failed_N`, the recovery) is a reply in its thread. Nobody hears of
what was cancelled, and it neither breaks a row nor ends it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.catalog.notify import Occasion, in_a_row

CAUSES = 20
"""Causes that a row of failures remembers; of a further one nobody is called anew."""
NEWEST = 5
"""The newest runs of a row that its message lists."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended. `cause` is why it failed, else ""; `has_message`: it has one of its own."""

    number: int
    at: float
    succeeded: bool
    cause: str = ""
    has_message: bool = False


@dataclass(frozen=True, slots=True)
class Streak:
    """Failures in a row. `is_open`: there is a message of them; `is_known`: the channel heard of any.

    `ended_by` is the run that succeeded after them.
    """

    count: int
    since: float
    last_at: float
    runs: tuple[int, ...]
    causes: tuple[str, ...]
    is_open: bool = False
    is_known: bool = False
    ended_by: int | None = None
    ended_at: float | None = None

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Streak":
        """From plain values, as a post keeps them; what another version keeps besides is left out."""
        known = {each.name: facts[each.name] for each in fields(cls) if each.name in facts}
        return cls(**{**known, "runs": tuple(known["runs"]), "causes": tuple(known["causes"])})


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a channel is told of an end. `card`: the run's own message is due now, for this occasion.

    `message`: the message of the row is to be written (`opens`) or edited, and `replies` go into its thread.
    `below` is what a reply below the run's own message says, which is there already: `CALL`, where that
    shows the failure itself and only somebody may have to be called.
    """

    streak: Streak | None = None
    card: str | None = None
    message: bool = False
    opens: bool = False
    replies: tuple[str, ...] = ()
    below: str | None = None


OTHER_CAUSE = "other_cause"
"""A reply: it fails for another reason now."""
CALL = "call"
"""A reply that calls who is to be called."""


def decide(when: Sequence[str], streak: Streak | None, end: End) -> Announcement:
    """What is told of `end`, and the row of failures then; `streak` is the one before, if any."""
    going = streak if streak is not None and streak.ended_by is None else None
    if end.succeeded:
        return _succeeded(when, going, end)
    return _failed(when, going, end)


def _failed(when: Sequence[str], going: Streak | None, end: End) -> Announcement:
    new = _longer(going, end)
    rows = [row for row in map(in_a_row, when) if row is not None]
    counts = Occasion.FAILED in when or any(row <= new.count for row in rows)
    if going is not None and going.is_open:
        if new.count in rows:
            replies: tuple[str, ...] = (f"failed_{new.count}",)
        else:
            replies = () if new.causes == going.causes else (OTHER_CAUSE,)
        return Announcement(message=True, replies=replies, streak=replace(new, is_known=True))
    if not counts:
        return Announcement(streak=replace(new, is_known=new.is_known or end.has_message))
    if end.has_message:
        below = f"failed_{new.count}" if new.count in rows else CALL
        return Announcement(streak=replace(new, is_known=True), below=below)
    return Announcement(message=True, opens=True, streak=replace(new, is_open=True, is_known=True))


def _longer(going: Streak | None, end: End) -> Streak:
    if going is None:
        return Streak(1, end.at, end.at, (end.number,), (end.cause,))
    is_new = end.cause not in going.causes and len(going.causes) < CAUSES
    return replace(
        going,
        count=going.count + 1,
        last_at=max(end.at, going.last_at),
        runs=(end.number, *going.runs)[:NEWEST],
        causes=(*going.causes, end.cause) if is_new else going.causes,
    )


def _succeeded(when: Sequence[str], going: Streak | None, end: End) -> Announcement:
    ended = None if going is None else replace(going, ended_by=end.number, ended_at=end.at)
    hidden = Occasion.FAILED in when or any(in_a_row(each) is not None for each in when)
    news = going is not None and Occasion.RECOVERED in when and (going.is_known or not hidden)
    card = Occasion.SUCCEEDED if Occasion.SUCCEEDED in when and not end.has_message else None
    if going is None or not going.is_open:
        below = Occasion.RECOVERED if news and end.has_message else None
        return Announcement(
            card=Occasion.RECOVERED if news and below is None else card, below=below, streak=ended
        )
    replies = (str(Occasion.RECOVERED),) if news else ()
    return Announcement(card=card, message=True, replies=replies, streak=ended)


def after(ends: Iterable[End]) -> Streak | None:
    """The row of failures that a history, oldest first, ends with, of which nobody was told."""
    streak: Streak | None = None
    for end in ends:
        streak = None if end.succeeded else _longer(streak, end)
    return streak
