"""Storms: what a channel could only be told one a second is told in one message, which counts and lists it.

A card (or a row of failures, or missed moments) that was folded into a storm says nothing of its own from
then on: its `place` names the storm, and what becomes of it is noted there.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.catalog.notify import notify_of
from bot.states import State
from bot.store import digests, posts
from bot.store.columns import POST
from bot.tables import Build, Post, Run

WINDOW = 60.0
"""Seconds for which a storm takes more, after the last that it took."""
MOST = 200
"""Things that one storm holds; then the next one begins."""

MISSED = "missed"
"""In place of a result: nothing ran when it was due."""

_PLAIN: dict[str, Any] = {"synchronize_session": False}
_GOOD = (None, "succeeded", "cancelled")


def fold(
    session: Session, ids: Collection[int], channel: str, *, now: float, nonce: str, whole: bool = True
) -> None:
    """Tell of these posts in the storm of a channel; `whole`: and nowhere else."""
    rows = session.scalars(select(Post).where(POST.id.in_(ids)).order_by(POST.id).with_for_update())
    mine = [row for row in rows if "storm" not in row.place]
    if not mine:
        return
    things = {_name(session, row): thing for row in mine if (thing := _thing(session, row)) is not None}
    key = _take(session, channel, things, now=now, nonce=nonce)
    for row in mine if whole else ():
        storm = {"place": {**row.place, "storm": key}}
        session.execute(update(Post).where(POST.id == row.id).values(**storm).execution_options(**_PLAIN))


def note(session: Session, id: int) -> None:
    """What became of a folded post is noted in its storm, if that is news."""
    row = session.scalar(select(Post).where(POST.id == id))
    key = None if row is None else row.place.get("storm")
    storm = None if key is None else digests.by_key(session, key)
    if row is None or storm is None:
        return
    facts, thing = storm.place["facts"], _thing(session, row)
    old = facts["things"].get(str(id))
    if thing is not None and old is not None and thing != old:
        _change(session, storm, {**facts, "things": {**facts["things"], str(id): thing}})


def _take(
    session: Session, channel: str, things: Mapping[str, dict[str, Any]], *, now: float, nonce: str
) -> str:
    """Add things to the storm of the channel that goes on, or begin the next; gives its key."""
    topic = f"storm:{channel}"
    storm = digests.newest(session, topic)
    if storm is not None and storm.state != "failed":
        facts = storm.place["facts"]
        if now - facts["last_at"] <= WINDOW and len(facts["things"]) < MOST:
            _change(session, storm, {"things": {**facts["things"], **things}, "last_at": now})
            return storm.key
    key, place = f"{topic}:{nonce}", {"channel": channel, "about": "storm", "who": _callees(things, ())}
    facts = {"things": dict(things), "last_at": now}
    digests.begin(session, digests.Digest(topic, key, place, facts, nonce, now))
    return key


def _change(session: Session, storm: Post, facts: dict[str, Any]) -> None:
    """Note what there is now; who is to be called only after the message was written is called below it."""
    known = storm.place["who"]
    who = _callees(facts["things"], known)
    digests.change(session, storm, facts, says=True, who=who)
    fresh = [each for each in who if each not in known]
    if fresh and storm.sent > 0:
        place = {"channel": storm.place["channel"], "of": storm.key, "about": "call", "who": fresh}
        key = f"note:{storm.key}:call:{len(known)}"
        nonce = f"{storm.nonce}-{len(known)}"
        posts.add(
            session, [Post(kind="slack_note", key=key, place=place, nonce=nonce, created_at=facts["last_at"])]
        )


def _callees(things: Mapping[str, Mapping[str, Any]], known: Collection[str]) -> list[str]:
    """Who is called for what failed, those who were called before first."""
    named = (who for thing in things.values() for who in thing["who"])
    return list(dict.fromkeys([*known, *named]))[:20]


def _name(session: Session, row: Post) -> str:
    """By which a storm knows what a post tells of: its own id, or that of the card that it is a reply to."""
    card = digests.card(session, row.place["of"]) if "of" in row.place else None
    return str(row.id if card is None else card.id)


def _thing(session: Session, row: Post) -> dict[str, Any] | None:
    """What a storm keeps of one post; None where what it tells of is no longer kept."""
    if row.run_number is not None:
        return _of_run(session.get(Run, row.run_number, populate_existing=True))
    if row.build_number is not None:
        return _of_build(session.get(Build, row.build_number, populate_existing=True))
    if "of" in row.place:
        return _of_run(session.get(Run, row.place["run"], populate_existing=True))
    facts, is_over = row.place["facts"], row.place["facts"]["ended_by"] is not None
    number = facts["ended_by"] or next(iter(facts.get("runs", ())), None)
    result = "succeeded" if is_over else "failed" if row.place["about"] == "streak" else MISSED
    made = {"noun": "run", "name": row.place["job"], "number": number, "state": State.FINISHED}
    return {**made, "result": result, "count": facts["count"], "who": [] if is_over else row.place["who"]}


def _of_run(run: Run | None) -> dict[str, Any] | None:
    if run is None:
        return None
    who = [] if run.result in _GOOD else list(notify_of(run.definition).who)
    made = {"noun": "run", "name": run.job, "number": run.number, "state": run.state, "result": run.result}
    return {**made, "count": 1, "who": who}


def _of_build(build: Build | None) -> dict[str, Any] | None:
    if build is None:
        return None
    made = {"noun": "build", "name": build.image, "number": build.number, "state": build.state}
    return {**made, "result": build.result, "count": 1, "who": []}
