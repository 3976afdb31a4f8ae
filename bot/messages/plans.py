"""What `plan` and `why` answer, in Markdown. Values are shown literally; of variables only the names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.catalog.due import DEFINITION, Outlook
from bot.catalog.images import Image
from bot.catalog.requirements import Verdict
from bot.catalog.retries import of_definition
from bot.messages import approvals, waits
from bot.messages.comments import headline
from bot.messages.differences import differences
from bot.messages.requirements import requirement_line
from bot.messages.retries import policy
from bot.messages.text import code, codes, plain
from bot.messages.timetables import local_time
from bot.messages.verdicts import occurrence_line, push_line, reason, short_ref, tick_note, unstarted_lines
from bot.messages.view import run_view
from bot.states import State, Waiting
from bot.tables import Build, JournalEntry, OccurrenceSeen, PushVerdict, Run, Tick
from bot.text import vocabulary
from bot.text.names import job_and_schedule
from bot.text.vocabulary import moment

NAMES = 30
"""Names and parameters that are shown."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What `run` would do: `run` is the draft. `refused` is Markdown, `waiting` besides its build.

    `timing` has the job's schedules, `order` its place among others. `hidden`: what `last` ran with is
    not told in this place. `passed` is a target that the asker closed, and which the run passes.
    """

    run: Run
    build: Build | None
    variables: Sequence[str]
    requirements: Sequence[Verdict]
    refused: str | None
    waiting: Waiting | None
    timing: Sequence[Outlook]
    last: Run | None
    order: Sequence[str] = ()
    hidden: bool = False
    passed: str | None = None


def plan(prospect: Prospect, *, who: str) -> str:
    """The answer to `plan`."""
    run = prospect.run
    values = [f"{name}={value}" for name, value in run.parameters.items()]
    lines = [f"{code(run.job)} would run, nothing was started:", f"- {_image(prospect)}"]
    lines.append(f"- parameters: {_codes(values)}")
    if run.arguments:
        lines.append(f"- arguments: {_codes(run.arguments)}")
    lines.append(f"- variables: {_codes(prospect.variables)}")
    where = f" of {code(run.repository)}" if run.repository else ""
    lines.append(f"- permission: {code(vocabulary.who(who))} may run jobs{where}")
    lines += [f"- {requirement_line(verdict)}" for verdict in prospect.requirements]
    if prospect.refused or not all(verdict.met for verdict in prospect.requirements):
        lines.append(f"- it would be refused: {prospect.refused or 'not all that it requires holds'}")
    elif prospect.waiting:
        lines.append(f"- it would wait for {plain(waits.words(prospect.waiting), 500)}")
    else:
        lines.append("- nothing is in its way")
    if prospect.passed is not None and not prospect.refused:
        lines.append(f"- {waits.passed(prospect.passed)}")
    if run.approval is not None:
        lines.append(f"- {approvals.needs_yes(run.approval, public=run.public)}")
    lines += [f"- {line}" for line in prospect.order]
    if (rules := of_definition(run.definition)) is not None:
        lines.append(f"- {policy(rules)}")
    lines += [f"- {line}" for line in timing_lines(prospect.timing)]
    lines.append(f"- {_compared(prospect)}")
    return "\n".join(lines)


def _image(prospect: Prospect) -> str:
    run, build = prospect.run, prospect.build
    if run.image is not None and run.image_definition is not None:
        image = Image.model_validate(run.image_definition)
        when = "as that workload runs it then" if image.workload else "looked up when it starts"
        return f"image {code(run.image)}: {code(image.origin)}, {when}"
    if run.image is None or run.commit is None:
        return "no image: it runs in an empty directory"
    ref = f" ({code(run.ref)})" if run.ref else ""
    text = f"image {code(run.image)} from commit {code(run.commit[:12])}{ref}"
    if build is None:
        return f"{text}, to be built first"
    if build.state == State.FINISHED:
        return f"{text}, built already: build {code(f'#{build.number}')}"
    return f"{text}, under way: build {code(f'#{build.number}')}"


def _compared(prospect: Prospect) -> str:
    last = prospect.last
    if last is None:
        return "it never ran before"
    if prospect.hidden:
        return f"its last run, {code(f'#{last.number}')}, was private, so it is not compared here"
    found = differences(last, prospect.run)
    number = code(f"#{last.number}")
    return f"other than {number}: {_codes(found)}" if found else f"the same as {number}"


def timing_lines(timing: Sequence[Outlook]) -> list[str]:
    """The schedules with their next times, by the clocks of their zones, and what people said about them."""
    return [line for each in timing for line in _timing_lines(each)] or ["no schedule"]


def _timing_lines(timing: Outlook) -> list[str]:
    zone = timing.timetable.timezone
    upcoming = ", ".join(local_time(at, zone) for at in timing.upcoming)
    called = "" if timing.name is None else f"{code(timing.key)}, "
    lines = [
        f"schedule {called}{code(timing.timetable.cron)} ({zone}), next: "
        f"{upcoming or 'none while it is paused'}"
    ]
    if names := list(timing.timetable.parameters):
        lines.append(f"that schedule gives {_codes(names)}")
    if timing.paused_by is not None:
        until = "" if timing.paused_until is None else f" until {local_time(timing.paused_until, zone)}"
        by = timing.paused_by if timing.paused_by == DEFINITION else code(vocabulary.who(timing.paused_by))
        why = f": {plain(timing.paused_why, 300)}" if timing.paused_why else ""
        lines.append(f"the schedule is paused{until} by {by}{why}")
    if timing.skipped is not None:
        at = local_time(timing.skipped, zone)
        lines.append(f"{at} is left out by {code(vocabulary.who(timing.skipped_by or 'somebody'))}")
    return lines


@dataclass(frozen=True, slots=True)
class Reasons:
    """What `why` found out. `pushes` is None where no push matters, `on_push` whether one starts the job."""

    job: str
    pushes: Sequence[PushVerdict] | None
    on_push: bool
    starters: Sequence[str]
    events: Sequence[OccurrenceSeen]
    refusals: Sequence[JournalEntry]
    ticks: Sequence[Tick]
    timing: Sequence[Outlook]
    refused: str | None
    waiting: Waiting | None
    last: Run | None
    approval: Mapping[str, Any] | None = None
    order: Sequence[str] = ()
    public: bool = False
    passed: str | None = None


def why(reasons: Reasons, *, who: str) -> str:
    """The answer to `why`."""
    lines = [f"{code(reasons.job)}:"]
    if reasons.last is None:
        lines.append("- it never ran")
    else:
        last = run_view(reasons.last)
        label, by = last.by
        lines.append(f"- last: {headline(last, None)}, {label} {code(by, 80)}")
    lines.append(f"- permission: {code(vocabulary.who(who))} may run it")
    for refusal in reasons.refusals:
        about = f"{code(vocabulary.who(refusal.actor))}, {moment(refusal.at)}"
        lines.append(f"- refused {about}: {reason(refusal.facts.get('reason') or {})}")
    if reasons.refused:
        lines.append(f"- a new run would be refused now: {reasons.refused}")
    elif reasons.waiting:
        lines.append(f"- a new run would wait now for {plain(waits.words(reasons.waiting), 500)}")
    else:
        lines.append("- no lock and no other run is in its way now")
    if reasons.passed is not None and not reasons.refused:
        lines.append(f"- {waits.passed(reasons.passed)}")
    if reasons.approval is not None:
        lines.append(f"- of a new run: {approvals.needs_yes(reasons.approval, public=reasons.public)}")
    lines += [f"- {line}" for line in [*reasons.order, *_pushed(reasons)]]
    if reasons.starters:
        lines.append(f"- starts by itself with {codes(reasons.starters)}")
    for event in reasons.events:
        about = f"{plain(event.subject, 200)}, {moment(event.received_at)}"
        lines.append(f"- {about}: {occurrence_line(event, reasons.job)}")
    lines += [f"- {line}" for line in timing_lines(reasons.timing)]
    zones = {each.key: each.timetable.timezone for each in reasons.timing}
    for tick in reasons.ticks:
        note = f" ({plain(words, 300)})" if (words := tick_note(tick)) else ""
        became = f"became {code(f'#{tick.run_number}')}" if tick.run_number else plain(tick.outcome, 40)
        at = local_time(tick.at, zones.get(tick.job, "UTC"))
        of = "" if job_and_schedule(tick.job)[1] is None else f" by {code(tick.job)}"
        lines.append(f"- due {at}{of}: {became}{note}")
    return "\n".join(lines)


def _pushed(reasons: Reasons) -> list[str]:
    if reasons.pushes is None:
        return ["no image that is built, so no push starts it"]
    lines = []
    if not reasons.on_push:
        lines.append("pushes rebuild its image and do not start it: `on` does not name `push`")
    if not reasons.pushes:
        lines.append("no push of its repository came in the last days")
    for push in reasons.pushes:
        decided = "; ".join([push_line(push), *unstarted_lines(push, reasons.job)])
        lines.append(f"push to {code(short_ref(push.ref))}, {moment(push.received_at)}: {decided}")
    return lines


def _codes(texts: Sequence[str]) -> str:
    shown = " ".join(code(text) for text in texts[:NAMES])
    left = len(texts) - NAMES
    return (f"{shown} and {left} more" if left > 0 else shown) or "none"
