"""`pause`, `resume` and `skip`: people hold back a schedule; whoever runs the job by hand still can.

Who may run a job may do this to its schedule. Only what is stored counts, so nothing has to be told to
the bot whose clock it is.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bot.catalog.due import EVERY, Plan, States, holds, pause_of, plans_of, upcoming
from bot.commands import parser
from bot.errors import AskerError, Unfit
from bot.handlers.authorization import ADMINS, Authorization, RequestContext
from bot.handlers.journal import entry
from bot.handlers.locks import REASON_CHARACTERS
from bot.handlers.moments import LONGEST, moment
from bot.messages import timetables
from bot.states import EntryKind
from bot.store import Session, journal, ticks
from bot.tables import JobState
from bot.text import vocabulary
from bot.text.names import job_and_schedule, schedule_key
from bot.text.wording import did_you_mean, quoted


class PauseHandler:
    """The three verbs; each gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, clock: Callable[[], float]) -> None:
        self._authorization = authorization
        self._clock = clock

    async def pause(self, context: RequestContext, command: parser.Pause) -> Callable[[Session], str | None]:
        """Hold the schedule back until a time, for a time, or until it is resumed; the last word counts."""
        _check(command)
        plans, word = await self._plans(context, command), self._authorization.first_word(context)
        terms, keys = self._terms(command, plans[0].timetable.timezone), [plan.key for plan in plans]

        def effect(session: Session) -> str | None:
            for key in keys:
                ticks.change(session, key, **_pause_columns(context, terms))
            self._note(session, EntryKind.PAUSED, context, keys, until=terms.until, why=terms.why)
            return timetables.paused(_subject(command), terms, command=word, count=len(keys))

        return effect

    async def pause_all(
        self, context: RequestContext, command: parser.PauseAll
    ) -> Callable[[Session], str | None]:
        """Hold all schedules back, also those that come meanwhile; what is paused by name stays so."""
        _check(command)
        await self._authorization.require_admin(context, "pausing all schedules")
        terms, word = self._terms(command, "UTC"), self._authorization.first_word(context)

        def effect(session: Session) -> str | None:
            ticks.change(session, EVERY, **_pause_columns(context, terms))
            self._note(session, EntryKind.PAUSED, context, [EVERY], until=terms.until, why=terms.why)
            return timetables.every_paused(terms, command=word)

        return effect

    async def resume_all(
        self, context: RequestContext, command: parser.ResumeAll
    ) -> Callable[[Session], str | None]:
        """Let them go on; what passed meanwhile stays passed."""
        await self._authorization.require_admin(context, "resuming all schedules")

        def effect(session: Session) -> str | None:
            now = self._clock()
            state = ticks.hold(session, []).get(EVERY)
            if state is None or not holds(state, now):
                raise AskerError("The schedules are not paused together.")
            ticks.change(session, EVERY, **_FREE)
            self._note(session, EntryKind.RESUMED, context, [EVERY])
            return timetables.every_resumed(len(ticks.paused(session, now=now)))

        return effect

    async def resume(
        self, context: RequestContext, command: parser.Resume
    ) -> Callable[[Session], str | None]:
        """Let it go on, also with the time that was to be left out; what passed meanwhile stays passed."""
        plans = await self._plans(context, command)

        def effect(session: Session) -> str | None:
            now, subject = self._clock(), _subject(command)
            states = ticks.hold(session, [plan.key for plan in plans])
            held_back = [plan for plan in plans if _is_held(states.get(plan.key), now)]
            if not held_back:
                if (every := states.get(EVERY)) is not None and holds(every, now):
                    word = self._authorization.first_word(context)
                    raise AskerError(f"All schedules are paused; {quoted(f'{word} resume --all')} ends that.")
                raise AskerError(f"The schedule of {quoted(subject)} is not paused.")
            for plan in held_back:
                free = {**_FREE, "skip_at": None, "skipped_by": None, "failures": 0}
                states[plan.key] = ticks.change(session, plan.key, **free)
            self._note(session, EntryKind.RESUMED, context, [plan.key for plan in held_back])
            first = _soonest(held_back, states, now)
            times = [] if first is None else [first.at]
            zone = plans[0].timetable.timezone if first is None else first.plan.timetable.timezone
            return timetables.resumed(subject, times, zone, count=len(held_back))

        return effect

    async def skip(self, context: RequestContext, command: parser.Skip) -> Callable[[Session], str | None]:
        """Leave out the next time at which a schedule would start the job, and only that."""
        plans = await self._plans(context, command)

        def effect(session: Session) -> str | None:
            now, subject = self._clock(), _subject(command)
            states = ticks.hold(session, [plan.key for plan in plans])
            skipping = {key: state.skip_at for key, state in states.items() if state.skip_at is not None}
            free = [plan for plan in plans if plan.key not in skipping]
            if not free:  # what was decided is not noted any more
                plan = plans[0]
                shown = timetables.local_time(plan.starts_at(skipping[plan.key]), plan.timetable.timezone)
                raise AskerError(f"{quoted(subject)} leaves out {shown} already.")
            first = _soonest(free, states, now)
            if first is None:
                pause = pause_of(free[0], states, now)
                by = "" if pause is None else f" by {quoted(vocabulary.who(pause.by))}"
                raise AskerError(f"The schedule of {quoted(subject)} is paused{by}.")
            plan, zone = first.plan, first.plan.timetable.timezone
            at = round(first.at - plan.spread)
            states[plan.key] = ticks.change(session, plan.key, skip_at=float(at), skipped_by=context.actor)
            self._note(session, EntryKind.SKIPPED, context, [plan.key], tick=at)
            following = _soonest(plans, states, now)
            times = [] if following is None else [following.at]
            shown = zone if following is None else following.plan.timetable.timezone
            return timetables.skipped(plan.key, timetables.local_time(first.at, zone), times, shown)

        return effect

    def _terms(self, command: parser.Pause | parser.PauseAll, zone: str) -> timetables.PauseTerms:
        now = self._clock()
        until = None if command.duration is None else now + command.duration
        if command.until is not None:
            until = moment(command.until, zone, now)
        return timetables.PauseTerms(until, zone, command.reason or None)

    def _note(
        self,
        session: Session,
        kind: EntryKind,
        context: RequestContext,
        keys: Sequence[str],
        **facts: Any,
    ) -> None:
        """Keep in the journal what somebody did to these schedules; moments are seconds since the epoch."""
        now = self._clock()
        jobs = [None if key == EVERY else job_and_schedule(key)[0] for key in keys]
        entries = [
            entry(context, kind, f"schedule:{key}", now, job=job, **facts)
            for key, job in zip(keys, jobs, strict=True)
        ]
        if list(keys) == [EVERY]:
            entries[0].rule = context.rules.get(ADMINS) or entries[0].rule
        journal.record(session, entries)

    async def _plans(
        self, context: RequestContext, command: parser.Pause | parser.Resume | parser.Skip
    ) -> list[Plan]:
        """The schedules that are meant, of a job that the asker may run; `AskerError` where there is none."""
        name, catalog = command.name, self._authorization.catalog(context)
        job = catalog.job(name)
        if job.image is not None:
            catalog.image(job.image)  # which may have been taken away
        await self._authorization.admit(context, job)
        if not job.schedules:
            raise AskerError(f"{quoted(name)} has no schedule.")
        known = {plan.timetable.name or "": plan for plan in plans_of(job)}
        if command.schedule is not None and command.schedule not in known:
            near = did_you_mean(command.schedule, filter(None, known))
            raise AskerError(f"{quoted(name)} has no schedule {quoted(command.schedule)}.{near}")
        meant = [known[command.schedule]] if command.schedule is not None else list(known.values())
        plans = [plan for plan in meant if not plan.timetable.paused]
        if not plans:
            subject = _subject(command)
            raise AskerError(
                f"The schedule of {quoted(subject)} is paused by its definition (`paused: true`)."
            )
        return plans


_FREE: Mapping[str, Any] = {"paused": False, "paused_until": None, "paused_by": None, "paused_why": None}
"""Of a schedule that is not paused."""


def _pause_columns(context: RequestContext, terms: timetables.PauseTerms) -> dict[str, Any]:
    """What is stored of a pause."""
    return {
        "paused": True,
        "paused_until": terms.until,
        "paused_by": context.actor,
        "paused_why": terms.why,
    }


def _check(command: parser.Pause | parser.PauseAll) -> None:
    if command.duration is not None and command.duration > LONGEST:
        sentence = "A pause is for a year at most, or without an end."
        raise Unfit(sentence, [(("duration",), sentence)])
    if command.reason is not None and len(command.reason) > REASON_CHARACTERS:
        raise AskerError(f"A reason may have {REASON_CHARACTERS} characters.")


class _Start(NamedTuple):
    """When a schedule starts its job next."""

    at: float
    plan: Plan


def _soonest(plans: Sequence[Plan], states: States, now: float) -> _Start | None:
    """Which of these schedules starts its job first; None where none does."""
    coming = [(upcoming(plan, states, now, 1), plan) for plan in plans]
    starts = [_Start(times[0], plan) for times, plan in coming if times]
    return min(starts, key=lambda start: start.at, default=None)


def _is_held(state: JobState | None, now: float) -> bool:
    if state is None:
        return False
    return state.skip_at is not None or holds(state, now)


def _subject(command: parser.Pause | parser.Resume | parser.Skip) -> str:
    """What the asker named."""
    return schedule_key(command.name, command.schedule)
