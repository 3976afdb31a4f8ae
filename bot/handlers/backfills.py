"""`backfill`: the runs that a schedule would have started, for due moments that have passed, one by one.

Each is known by its moment as the schedule's own run is, so that none is started twice however often it is
asked for; `again` is for those that ran. They work on the commit that the default branch has when it is asked
for.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot import messages
from bot.catalog.due import Plan, plans_of
from bot.commands import parser
from bot.errors import AskerError, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.journal import entry
from bot.handlers.orders import Target, TransactionCache
from bot.handlers.resolution import TargetResolver
from bot.handlers.start import scheduled_order
from bot.messages.timetables import local_time
from bot.states import EntryKind, Hold
from bot.store import Session, backfills, holds, journal, runs
from bot.text.wording import listed, quoted

MOST = 500
"""Due moments of one backfill."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What was stored: the numbers of the runs, in order, and how many moments had run before."""

    numbers: Sequence[int]
    skipped: int
    text: str


class BackfillHandler:
    """Makes the orders of all moments; asks the network, and gives an effect for one transaction."""

    def __init__(
        self,
        authorization: Authorization,
        resolver: TargetResolver,
        enqueuer: Enqueuer,
        clock: Callable[[], float],
    ) -> None:
        self._authorization = authorization
        self._resolver = resolver
        self._enqueuer = enqueuer
        self._clock = clock

    async def backfill(
        self, context: RequestContext, command: parser.Backfill
    ) -> Callable[[Session], Backfill]:
        """Store a held run for each due moment from `since` to `until` that has none, or for every one."""
        plan = await self._plan(context, command)
        now, zone = self._clock(), plan.timetable.timezone
        since, until = _past(command.since, zone, now, "from"), now
        if command.until is not None:
            until = _past(command.until, zone, now, "until")
        if since > until:
            raise Unfit("It ends before it begins.", [(("until",), "It ends before it begins.")])
        moments = await asyncio.to_thread(_moments, plan, since, until)
        target = await self._target(plan)
        word = self._authorization.first_word(context)

        def effect(session: Session) -> Backfill:
            known = set() if command.again else backfills.known(session, plan.key, moments)
            left = [at for at in moments if at not in known]
            if not left:
                raise AskerError(
                    f"Nothing is left to do: of {len(moments)} due moments of {quoted(plan.key)} all ran. "
                    "With `--again` they run once more."
                )
            numbers = self._store(session, context, plan, target, left, again=command.again)
            facts = {"since": since, "until": until, "count": len(numbers), "again": command.again or None}
            journal.record(
                session,
                [
                    entry(
                        context, EntryKind.BACKFILLED, f"schedule:{plan.key}", now, job=plan.job.name, **facts
                    )
                ],
            )
            shown = local_time(left[0], zone), local_time(left[-1], zone)
            text = messages.backfilled(plan.key, numbers, shown, len(known), command=word)
            return Backfill(numbers, len(known), text)

        return effect

    def _store(
        self,
        session: Session,
        context: RequestContext,
        plan: Plan,
        target: Target,
        moments: Sequence[float],
        *,
        again: bool,
    ) -> list[int]:
        """The runs, all held; only the last has a card, which tells how far they are."""
        now, seen, drafts = self._clock(), TransactionCache(), list[runs.Draft]()
        key = f"backfill:{context.key}:{plan.key}" if again else f"tick:{plan.key}"
        for at in moments:
            order = scheduled_order(replace(context, key=key), plan.job, target, at, plan.timetable)
            draft = self._enqueuer.draft(session, order, seen)
            holds.Holding(Hold.TIME, now + backfills.LATER, on={"moment": at}).put(draft.run)
            drafts.append(draft if at == moments[-1] else replace(draft, cards=()))
        numbers = [run.identity for run in runs.enqueue_all(session, drafts, now=now)]
        if numbers:
            backfills.begin(session, numbers, now=now)
        return numbers

    async def _target(self, plan: Plan) -> Target:
        catalog, job = self._authorization.all_jobs, plan.job
        image = None if job.image is None else catalog.image(job.image)
        repository = catalog.repository_of(job)
        if repository is None or image is None:
            return Target(None, False, ready=image, follows=True)
        return await self._resolver.head(image, repository)

    async def _plan(self, context: RequestContext, command: parser.Backfill) -> Plan:
        """The one schedule that is meant, of a job that the asker may run."""
        job = self._authorization.catalog(context).job(command.name)
        await self._authorization.admit(context, job)
        plans = {plan.timetable.name or "": plan for plan in plans_of(job)}
        if not plans:
            raise AskerError(f"{quoted(job.name)} has no schedule.")
        if command.schedule is None and len(plans) == 1:
            return next(iter(plans.values()))
        if (plan := plans.get(command.schedule or "")) is None:
            named = listed(plan.key for plan in plans.values())
            raise AskerError(f"Say which of the schedules of {quoted(job.name)} is meant: {named}.")
        return plan


def _moments(plan: Plan, since: float, until: float) -> list[float]:
    """The due moments that count, both ends included; `Unfit` where they are none, or more than `MOST`."""
    found = plan.schedule.between(max(since - 1, 0.0), until, MOST + 1)
    if len(found) > MOST:
        count = plan.schedule.estimate(since, until)
        sentence = (
            f"These are about {count:,} due moments of {quoted(plan.key)}; a backfill has at most {MOST}. "
            "Name a shorter time."
        )
        raise Unfit(sentence, [(("from",), sentence)])
    found = [at for at in found if plan.timetable.counts(at)]
    if not found:
        sentence = f"{quoted(plan.key)} was never due in that time."
        raise Unfit(sentence, [(("from",), sentence)])
    return found


def _past(text: str, timezone: str, now: float, field: str) -> float:
    """The epoch seconds of a date, or of a date and a time, by the clocks of `timezone` or its own."""
    try:
        day = datetime.fromisoformat(text)
        at = (day if day.tzinfo else day.replace(tzinfo=ZoneInfo(timezone))).timestamp()
    except (ValueError, OverflowError):
        sentence = f"{quoted(text)} is no date, such as `2030-01-31` or `2030-01-31T18:00`."
        raise Unfit(sentence, [((field,), sentence)]) from None
    if not 0 <= at <= now:
        sentence = f"{quoted(text)} has not come yet; there it is {local_time(now, timezone)} now."
        raise Unfit(sentence, [((field,), sentence)])
    return at
