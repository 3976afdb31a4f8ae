"""What the channel of a job is told of its schedule: due moments that were missed, and runs that overlap."""

from collections.abc import Callable, Sequence
from typing import Any

from bot.catalog.due import Plan
from bot.catalog.notify import Notify, Occasion
from bot.states import TickOutcome
from bot.store import Session, digests, occasions, overlaps
from bot.tables import Post, Run, Tick
from bot.text.names import schedule_key


class ScheduleOccasions:
    """Notes them in the transaction that decides the due moments; `nonce` gives unguessable words."""

    def __init__(self, nonce: Callable[[], str]) -> None:
        self._nonce = nonce

    def note(
        self, session: Session, plans: Sequence[Plan], ticks: Sequence[Tick], new: Sequence[Run]
    ) -> None:
        """What became of due moments, and the runs that some of them became."""
        notifies = {plan.key: plan.job.notify for plan in plans}
        due: dict[str, list[Tick]] = {}
        for tick in sorted(ticks, key=lambda tick: tick.at):
            if _tells(notifies[tick.job], Occasion.MISSED, Occasion.OVERLAPPING):
                due.setdefault(tick.job, []).append(tick)
        self._misses(session, notifies, due, new)
        came = {
            job: rows[-1].at
            for job, rows in due.items()
            if _tells(notifies[job], Occasion.OVERLAPPING)
            and rows[-1].outcome in (TickOutcome.RUN, TickOutcome.REFUSED)
        }
        for run in overlaps.before(session, came):
            key = schedule_key(run.job, run.schedule)
            channel = notifies[key].slack or ""
            occasions.still(session, run, channel, kind=Occasion.OVERLAPPING, at=came[key])

    def _misses(
        self, session: Session, notifies: dict[str, Notify], due: dict[str, list[Tick]], new: Sequence[Run]
    ) -> None:
        topics = {job: _topic(job, notifies[job]) for job in due if _tells(notifies[job], Occasion.MISSED)}
        known = digests.newest_of(session, topics.values())
        started = {schedule_key(run.job, run.schedule): run.identity for run in new}
        for job, topic in topics.items():
            row = known.get(topic)
            row = row if row is not None and row.place["facts"]["ended_by"] is None else None
            missed = [tick for tick in due[job] if _is_missed(tick)]
            if missed:
                self._count(session, job, notifies[job], row, missed)
            elif row is not None and job in started:
                digests.change(session, row, {**row.place["facts"], "ended_by": started[job]}, says=True)

    def _count(
        self, session: Session, job: str, notify: Notify, row: Post | None, missed: Sequence[Tick]
    ) -> None:
        first, last = missed[0], missed[-1]
        new: dict[str, Any] = {"count": 0, "since": first.at, "ended_by": None}
        facts = new if row is None else row.place["facts"]
        facts = {**facts, "count": facts["count"] + len(missed), "last_at": last.at, "reason": last.reason}
        if row is not None:
            digests.change(session, row, facts, says=True)
            return
        place = {"channel": notify.slack, "about": "missed", "job": job, "who": list(notify.who)}
        topic = _topic(job, notify)
        key, at = f"{topic}:{first.at:.0f}", last.decided_at
        digests.begin(session, digests.Digest(topic, key, place, facts, self._nonce(), at))


def _tells(notify: Notify, *occasions: Occasion) -> bool:
    return notify.slack is not None and any(each in (notify.when or ()) for each in occasions)


def _topic(job: str, notify: Notify) -> str:
    return f"missed:{job}:{notify.slack}"


def _is_missed(tick: Tick) -> bool:
    """Whether nothing ran for it that somebody wanted: not what people held back, nor what is made up for."""
    made_up = (tick.reason or {}).get("kind") == "made_up"
    refused, missed = tick.outcome == TickOutcome.REFUSED, tick.outcome == TickOutcome.MISSED
    return refused or (missed and not made_up)
