"""The Home of one person: what runs and waits, what failed, schedules, locks and jobs, with their buttons.

https://docs.slack.dev/reference/views/home-tab-views
"""

from collections.abc import Iterator, Sequence

from bot.messages.mrkdwn import date, link, literal, span, zoned
from bot.messages.slack.actions import Action
from bot.messages.slack.buttons import answer_buttons, cancel_button, thaw_button
from bot.messages.slack.cards import headline
from bot.messages.slack.elements import (
    VIEW_BLOCKS,
    Block,
    actions,
    address,
    button,
    context,
    header,
    link_button,
    section,
)
from bot.messages.slack.elements import home as home_view
from bot.messages.slack.jobs import job_blocks
from bot.messages.slack.lines import asked_text, schedule_text
from bot.messages.slack.overviews import LockLine, Overview, RunLine, ScheduleLine
from bot.states import EVERYTHING, State
from bot.text import vocabulary

RUNS = 10
"""Runs that are shown of those that go on, and of those that wait."""
FAILING = 5
ANSWERS = 5
"""Runs that are shown of those that wait for somebody's yes."""
LATER = 5
SCHEDULES = 8
LOCKS = 5


def home(overview: Overview, *, page: str, now: float) -> Block:
    """The view to publish; `page` is the address of Errand's own pages, `now` when it was looked.

    It carries the number of its page of jobs, so that what is published anew shows the same.
    """
    number = overview.jobs.number
    top = [section(f"As of {date(now)}.", accessory=_refresh(number))]
    if address(page):
        top.append(actions(button("Sign in to the pages", Action.LOGIN, "")))
    parts = [
        *top,
        *_for_you(overview.for_you),
        *_runs(overview),
        *_failing(overview.failing),
        *_schedules(overview),
        *_freezes(overview),
        *_locks(overview),
    ]
    parts += [header("Jobs"), *job_blocks(overview.jobs)]
    parts.append(context(_elsewhere(page)))
    return home_view(parts[:VIEW_BLOCKS], metadata={"page": number})


def unknown_home(sentence: str) -> Block:
    """The Home of somebody of whom it is not known who they are on GitHub; `sentence` is Slack's markup."""
    return home_view([section(sentence), actions(_refresh(1))], metadata={"page": 1})


def _refresh(number: int) -> Block:
    return button("Refresh", Action.HOME_REFRESH, str(number))


def _for_you(lines: Sequence[RunLine]) -> Iterator[Block]:
    if not lines:
        return
    yield header("Waits for your yes")
    for line in lines[:ANSWERS]:
        yield section(f"{headline(line.view, line.page)}\n{asked_text(line)}")
        yield actions(*answer_buttons(line.view))


def _runs(overview: Overview) -> Iterator[Block]:
    yield header("Running")
    if not overview.running:
        yield context("Nothing runs now.")
    for line in overview.running[:RUNS]:
        yield _under_way(line)
    yield from _more(overview.more_running)
    if overview.waiting:
        yield header("Waiting")
        for line in overview.waiting[:RUNS]:
            yield _under_way(line)
        yield from _more(overview.more_waiting)
    if overview.later:
        yield header("Later")
        for line in overview.later[:LATER]:
            yield _under_way(line)


def _under_way(line: RunLine) -> Block:
    return section(f"{headline(line.view, line.page)}\n{asked_text(line)}", accessory=_cancel(line))


def _cancel(line: RunLine) -> Block | None:
    """None for what is being stopped already."""
    return None if line.view.state is State.STOPPING else cancel_button(line.view)


def _failing(lines: Sequence[RunLine]) -> Iterator[Block]:
    if not lines:
        return
    yield header("Failed, and not mended since")
    for line in lines[:FAILING]:
        why = f"\n{zoned(literal(line.view.why, 300))}" if line.view.why else ""
        yield section(f"{headline(line.view, line.page)}{why}\n{asked_text(line)}")
        buttons = [button("Run again", Action.RUN_AGAIN, str(line.view.number))]
        if log := address(line.page):
            buttons.append(link_button("Log", Action.RUN_LOG, log))
        yield actions(*buttons)


def _schedules(overview: Overview) -> Iterator[Block]:
    if not overview.schedules:
        return
    yield header("Schedules")
    if overview.every is not None:
        again = button("Resume all", Action.SCHEDULES_RESUME)
        yield section(f"*All schedules*: {schedule_text(overview.every)}", accessory=again)
    for line in overview.schedules[:SCHEDULES]:
        yield section(f"*{literal(line.key, 100)}*: {schedule_text(line)}\n{span(line.timetable, 120)}")
        if buttons := _schedule_buttons(line):
            yield actions(*buttons)
    yield from _more(overview.more_schedules)


def _schedule_buttons(line: ScheduleLine) -> list[Block]:
    """What can be done to it; nothing to what its definition pauses, or what all are held back by."""
    if line.by_definition or line.by_all:
        return []
    resume = button("Resume", Action.JOB_RESUME, line.key)
    pause = button("Pause", Action.JOB_PAUSE, line.key)
    skip = button("Skip the next", Action.JOB_SKIP, line.key)
    if line.paused_by is not None:
        return [resume]
    return [pause, resume] if line.skipped_at is not None else [pause, skip]


def _freezes(overview: Overview) -> Iterator[Block]:
    if not overview.freezes:
        return
    yield header("Frozen")
    for line in overview.freezes:
        until = f" until {date(line.until)}" if line.until is not None else ""
        by = span(vocabulary.who(line.by), 80) if line.by else "`app.yaml`"
        why = f": {literal(line.why, 200)}" if line.why else ""
        text = f"❄ {span(line.what, 100)} by {by}{until}{why}"
        thaw = thaw_button(line)
        yield context(text) if thaw is None else section(text, accessory=thaw)


def _locks(overview: Overview) -> Iterator[Block]:
    if not overview.locks:
        return
    yield header("Locked")
    for line in overview.locks[:LOCKS]:
        yield context(_lock(line))
    yield from _more(overview.more_locks)


def _lock(line: LockLine) -> str:
    until = f" until {date(line.until)}" if line.until is not None else ""
    why = f": {literal(line.reason, 200)}" if line.reason else ""
    what = "everything" if line.target == EVERYTHING else span(line.target, 100)
    whom = "everybody" if line.everyone else "all others"
    return f"🔒 {what} by {span(vocabulary.who(line.actor), 80)} for {whom}{until}{why}"


def _more(count: int) -> Iterator[Block]:
    if count > 0:
        yield context(f"… and {count} more.")


def _elsewhere(page: str) -> str:
    whole = f"{link(page, 'Errand’s pages')} show everything. " if address(page) else ""
    return f"{whole}The shortcut _Run a job_ searches the jobs by name."
