"""What the channel of a job is told of its runs, where it says when: decided as a run begins and ends.

In the transaction that moves the run, so that it is decided once, in the order of the ends, whatever happens
to the bot then. A run's card for that channel is `quiet` until there is an occasion for it.
"""

import math
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from bot.catalog import streaks
from bot.catalog.notify import Notify, Occasion, in_a_row, notify_of
from bot.catalog.streaks import CALL, Announcement, End, Streak
from bot.states import State
from bot.store import backfills, digests, posts, schedule_stops
from bot.store.columns import RUN
from bot.tables import Build, Post, Run
from bot.text.names import schedule_key
from executor.spec import Result

TYPICAL = 10
"""Runs that succeeded from which on it is known how long a job takes."""
RECENT = 200
"""The newest runs that are looked at for that."""
SHARE = 0.95
"""Of those, how many took no longer than what is not slow."""
LEAST = 10.0
"""Seconds below which no run is slow, however short the others were."""
HISTORY = 50
"""The newest runs that are looked at where a job's failures in a row are counted for the first time."""

_ENDED = RUN.state == literal(State.FINISHED.value, literal_execute=True)


def moved(session: Session, row: Run | Build) -> None:
    """A run or a build has begun or ended, or was stored as ended."""
    if isinstance(row, Build):
        if row.state == State.FINISHED and row.result not in (Result.SUCCEEDED, Result.CANCELLED):
            digests.show_build(session, row.identity)
    else:
        _moved(session, row)
        backfills.over(session, row)
        if (failures := schedule_stops.ended(session, row)) is not None:
            _stopped(session, row, failures)


def _stopped(session: Session, run: Run, failures: int) -> None:
    """The schedule of a run stopped with it: its channel hears of that, whatever it wants to hear besides."""
    if channel := notify_of(run.definition).slack:
        facts = {"failures": failures, "schedule": schedule_key(run.job, run.schedule)}
        still(session, run, channel, kind="stopped", **facts)


def _moved(session: Session, run: Run) -> None:
    section = run.definition.get("notify")
    if not isinstance(section, dict) or not section.get("slack"):
        return
    if section.get("when") is None and not section.get("who"):
        return
    notify = notify_of(run.definition)
    if run.state == State.FINISHED:
        _ended(session, run, notify)
    elif run.state == State.RUNNING:
        _begun(session, run, notify)


def _begun(session: Session, run: Run, notify: Notify) -> None:
    when, channel = notify.when or (), notify.slack or ""
    if Occasion.STARTED in when:
        digests.show(session, digests.card_key(run.identity, channel), kind=Occasion.STARTED)
    if Occasion.SLOW not in when or run.started_at is None:
        return
    limit = _slow_after(session, run)
    card = digests.card(session, digests.card_key(run.identity, channel))
    if limit is None or card is None:
        return
    place = {
        "channel": channel,
        "seconds": limit,
        "expected": "expect" in run.definition and bool(run.definition["expect"]),
    }
    timer = Post(
        kind="slack_slow",
        key=f"run:{run.identity}:slack_slow:{channel}",
        place=place,
        run_number=run.identity,
        nonce="",
        due_at=run.started_at + limit,
        created_at=run.started_at,
    )
    posts.add(session, [timer])


def _slow_after(session: Session, run: Run) -> float | None:
    """Seconds after which a run is slow; None where nobody can say."""
    expected = run.definition.get("expect")
    if isinstance(expected, int | float):
        return float(expected)
    good = (RUN.job == run.job, _ENDED, RUN.result == Result.SUCCEEDED.value)
    query = select(RUN.started_at, RUN.finished_at).where(*good).order_by(RUN.number.desc()).limit(RECENT)
    took = sorted(end - start for start, end in session.execute(query) if start is not None)
    if len(took) < TYPICAL:
        return None
    usual: float = took[math.ceil(SHARE * len(took)) - 1]
    return max(usual, LEAST)


def _ended(session: Session, run: Run, notify: Notify) -> None:
    channel, key = notify.slack or "", digests.card_key(run.identity, notify.slack or "")
    card = digests.card(session, key)
    if card is None:
        return
    digests.drop(session, f"run:{run.identity}:slack_slow:{channel}")
    if run.result == Result.CANCELLED:
        return
    end = _end(run, has_message=card.state != digests.QUIET)
    if notify.when is None:
        announcement = Announcement(below=None if end.succeeded else CALL)
        row, of = None, ""
    else:
        topic = f"streak:{run.job}:{channel}"
        row = digests.newest(session, topic)
        before = Streak.of(row.place["facts"]) if row is not None else _history(session, run)
        announcement = streaks.decide(notify.when, before, end)
        of = _keep(session, run, notify, card.nonce, row, announcement)
    _say(session, run, notify, card, announcement, of)


def _end(run: Any, *, has_message: bool) -> End:
    """The end of a run, or of what `_history` reads of one."""
    succeeded = run.result == Result.SUCCEEDED
    cause = ""
    if not succeeded:
        code = "" if run.exit_code is None else f"exit code {run.exit_code}"
        cause = run.reason or code or str(run.result)
    return End(run.number, run.finished_at or run.created_at, succeeded, cause[:100], has_message)


def _history(session: Session, run: Run) -> Streak | None:
    """The row of failures before a run, of a job whose channel is told of it for the first time."""
    before = (RUN.job == run.job, _ENDED, RUN.number != run.number, RUN.result != Result.CANCELLED.value)
    columns = (RUN.number, RUN.result, RUN.reason, RUN.exit_code, RUN.finished_at, RUN.created_at)
    rows = session.execute(select(*columns).where(*before).order_by(RUN.number.desc()).limit(HISTORY))
    ends = [_end(each, has_message=False) for each in rows]
    return streaks.after(sorted(ends, key=lambda end: (end.at, end.number)))


def _keep(
    session: Session, run: Run, notify: Notify, nonce: str, row: Post | None, announcement: Announcement
) -> str:
    """Store the row of failures as it is now; gives the key of its message."""
    streak, channel = announcement.streak, notify.slack or ""
    if streak is None:
        return ""
    facts = asdict(streak)
    old = Streak.of(row.place["facts"]) if row is not None else None
    if row is None or (old is not None and old.ended_by is not None):
        key = f"streak:{run.job}:{channel}:{run.identity}"
        place = {"channel": channel, "about": "streak", "job": run.job, "who": list(notify.who)}
        digest = digests.Digest(
            f"streak:{run.job}:{channel}",
            key,
            place,
            facts,
            _nonce(nonce, "row"),
            run.created_at,
            announcement.message,
        )
        digests.begin(session, digest)
        return key
    digests.change(session, row, facts, says=announcement.message, who=list(notify.who))
    return row.key


def _say(session: Session, run: Run, notify: Notify, card: Any, announcement: Announcement, of: str) -> None:
    streak, key = announcement.streak, digests.card_key(run.identity, notify.slack or "")
    facts = {} if streak is None else {"count": streak.count, "since": streak.since}
    if announcement.card is not None:
        digests.show(
            session, key, kind=announcement.card, **(facts if announcement.card == Occasion.RECOVERED else {})
        )
    notes = [(of, about) for about in announcement.replies]
    if announcement.opens and (run.tail or run.summary):
        notes.append((of, "tail"))
    if announcement.below is not None and (announcement.below != CALL or notify.who):
        notes.append((key, announcement.below))
    posts.add(session, [_note(run, notify, card.nonce, to, about, facts) for to, about in notes])


def still(session: Session, run: Run, channel: str, **occasion: Any) -> None:
    """A run goes on for so long that it is an occasion: its card is posted, or a reply below it, once."""
    key = digests.card_key(run.identity, channel)
    card = digests.card(session, key)
    if card is None or digests.show(session, key, **occasion):
        return
    if card.place.get("occasion", {}).get("kind") != occasion["kind"]:
        notify = notify_of(run.definition)
        posts.add(session, [_note(run, notify, card.nonce, key, str(occasion["kind"]), occasion)])


def _note(run: Run, notify: Notify, nonce: str, of: str, about: str, facts: dict[str, Any]) -> Post:
    """A reply in the thread of the message of the post `of`."""
    fails = about in (CALL, streaks.OTHER_CAUSE) or in_a_row(about) is not None
    who = list(notify.who) if fails else []
    place = {
        "channel": notify.slack,
        "of": of,
        "about": about,
        "run": run.identity,
        "job": run.job,
        "who": who,
        "facts": facts,
    }
    return Post(
        kind="slack_note",
        key=f"note:{of}:{run.identity}:{about}",
        place=place,
        nonce=_nonce(nonce, about),
        created_at=run.created_at,
    )


def _nonce(card: str, what: str) -> str:
    """Another one made of a card's, as unguessable: that belongs to the card, which may be posted as well."""
    return blake2b(f"{card}:{what}".encode(), digest_size=8).hexdigest()
