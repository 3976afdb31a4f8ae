"""Runs and builds as one message of Slack that is edited, and what hangs below it in its thread."""

from collections.abc import Iterator, Sequence

from bot.messages import reports
from bot.messages.comments import parameters
from bot.messages.mrkdwn import cut, date, escaped, fitted, link, literal, mention, span, zoned
from bot.messages.slack.actions import Action
from bot.messages.slack.buttons import answer_buttons, cancel_button
from bot.messages.slack.elements import (
    MESSAGE_CHARACTERS,
    Block,
    actions,
    address,
    button,
    context,
    link_button,
    preformatted,
    section,
    size,
)
from bot.messages.text import ELLIPSIS, clean
from bot.messages.view import View
from bot.states import State
from bot.text.vocabulary import in_a_row, roughly
from executor.spec import Result

WHY_CHARACTERS = 1500
PARAMETERS_CHARACTERS = 1500
CHAIN_CHARACTERS = 1500
TAIL_CHARACTERS = 2400
SUMMARY_CHARACTERS = 2900
LINK_CHARACTERS = 500
"""Of an address within a text, of which five letters may be one character."""
NOTICE_CHARACTERS = 300
"""Of the text that a notification shows."""


def blocks(view: View, link: str | None) -> tuple[str, list[Block]]:
    """The notification's text and the blocks of a card; what is longest and matters least goes first."""
    shown = [section(headline(view, link)), context(_facts(view)), *_end(view), *_chain(view)]
    buttons = _buttons(view, link)
    end = [actions(*buttons)] if buttons else []
    rest = list(_rest(view))
    while rest and size([*shown, *rest, *end]) > MESSAGE_CHARACTERS:
        rest.pop()
    return _notice(view), [*shown, *rest, *end]


def below(view: View, page: str | None = None) -> tuple[str, list[Block]] | None:
    """What stands in the thread of a card: the last lines of what failed, and what the job reported.

    `page` is where the whole log is. None where there is neither.
    """
    shown: list[Block] = []
    if view.summary:
        shown.append(section(zoned(reports.slack(view.summary, SUMMARY_CHARACTERS))))
    if view.shows_tail:
        log = address(view.build_link or page, LINK_CHARACTERS)
        whole = f" of {link(log, 'the log')}" if log else ""
        shown += [context(f"The last lines{whole}:"), preformatted(view.tail, limit=TAIL_CHARACTERS)]
    return (_notice(view), shown) if shown else None


def _notice(view: View) -> str:
    title = f"{view.icon} {clean(view.name, 100)} {view.label}#{view.number} {view.verdict}"
    return cut(escaped(title), NOTICE_CHARACTERS)


def headline(view: View, page: str | None, *, named: bool = True) -> str:
    """How it stands: `✅ *migrate* #142 succeeded in 12s`, without the name where that is known."""
    to = address(page, LINK_CHARACTERS)
    number = link(to, f"#{view.number}") if to else f"#{view.number}"
    name = f"*{literal(view.name, 100)}* " if named else ""
    line = f"{view.icon} {name}{view.label}{number} {view.verdict}"
    if view.result is None and view.why:
        line += f"{view.before_why}{zoned(fitted(view.why, 300))}"
    return ", ".join(part for part in (line, _elapsed(view), view.bar) if part)


def _elapsed(view: View) -> str | None:
    """How long it has run, beside how long the last ones took."""
    gone, usual = view.beside.elapsed_s, view.beside.usual_s
    if view.state is not State.RUNNING or gone is None:
        return None
    if usual is None:
        return roughly(gone) if gone >= 1 else None
    if gone > usual:
        return f"{roughly(gone)}, longer than the usual {roughly(usual)}"
    return f"{roughly(gone)} of about {roughly(usual)}"


def _facts(view: View) -> str:
    about = [_person(view), *_approved(view), *_code(view), *_moments(view), *_repeats(view)]
    return " · ".join([*about, *_override(view)])


def _person(view: View) -> str:
    label, who, how = view.person
    known = f" ({view.beside.membership})" if view.beside.membership else ""
    return f"{label} {mention(view.beside.member or '') or span(who, 100)}{known}{how}"


def _approved(view: View) -> Iterator[str]:
    """Who said yes to it."""
    if view.approved:
        yield "approved by " + ", ".join(span(each, 80) for each in view.approved)


def _code(view: View) -> Iterator[str]:
    """Which code, and where on GitHub that is."""
    if view.commit:
        name = f"{view.repository}@{view.commit[:12]}" if view.repository else view.commit[:12]
        yield f"commit {_linked(name, view.beside.commit_link)}"
    if view.pull is not None and view.beside.pull_link:
        yield f"pull request {_linked(f'#{view.pull}', view.beside.pull_link)}"
    if comment := address(view.beside.comment_link, LINK_CHARACTERS):
        yield link(comment, "comment")
    if view.ref:
        yield f"ref {span(view.ref, 100)}"


def _linked(name: str, to: str | None) -> str:
    found = address(to, LINK_CHARACTERS)
    return link(found, name, 160) if found else span(name, 160)


def _moments(view: View) -> Iterator[str]:
    if view.exit_code is not None and view.result not in (None, Result.FAILED):  # then the headline has it
        yield f"exit code {span(str(view.exit_code))}"
    if view.tick_at is not None:
        yield f"due {date(view.tick_at)}"
    if view.stopped_after is not None:
        after = in_a_row(view.stopped_after)
        yield f"paused the schedule {span(view.schedule or '', 100)} after {after}"
    if view.started_at is not None:
        yield f"started {date(view.started_at)}"
    if view.finished_at is not None and view.result is not None:
        yield f"ended {date(view.finished_at)}"


def _repeats(view: View) -> Iterator[str]:
    if view.rerun_of is not None:
        yield f"again from #{view.rerun_of}{'' if view.differs != () else ', exactly'}"


def _override(view: View) -> Iterator[str]:
    if view.override:
        yield f"❄ in spite of a freeze: {literal(view.override, 200)}"


def _end(view: View) -> Iterator[Block]:
    """The reason with what to do."""
    if view.result is None or not view.why:
        return
    word = literal((view.reason or "").strip(), 100)
    text = zoned(fitted(view.sentences, WHY_CHARACTERS))
    yield section(": ".join(part for part in (f"*{word}*" if word else "", text) if part))


def _chain(view: View) -> Iterator[Block]:
    """The runs that it is in a row with, each as it stands."""
    steps: list[str] = []
    for step in view.beside.chain:
        number = "" if step.number is None else f" #{step.number}"
        why = f" ({fitted(step.why.rstrip('.'), 200)})" if step.why else ""
        steps.append(f"{step.word.emoji} {span(step.job, 60)}{number} {step.word.verb}{why}")
    while sum(len(each) + 3 for each in steps) > CHAIN_CHARACTERS:
        steps.pop()
    if steps:
        yield context("chain: " + " · ".join(steps))


def _rest(view: View) -> Iterator[Block]:
    values = parameters(view)
    if values:
        yield context(_spans(values))
    if view.differs:
        yield context(f"other than #{view.rerun_of}: {_spans(view.differs)}")


def _spans(values: Sequence[str]) -> str:
    """As many of the parameters as fit."""
    spans = [span(each, 190) for each in values]
    while sum(len(each) + 1 for each in spans) > PARAMETERS_CHARACTERS:
        spans.pop()
    return " ".join(spans) + (f" {ELLIPSIS}" if len(spans) < len(values) else "")


def _buttons(view: View, page: str | None) -> list[Block]:
    """What can be done now. Whoever presses has the rights of the command, or none."""
    return [*(_run_buttons(view) if _is_for_chats(view) else ()), *_log(view, page)]


def _is_for_chats(view: View) -> bool:
    """Whether a command could do it: a single command of no repository takes a token."""
    return view.noun == "run" and not (view.single and view.repository is None)


def _run_buttons(view: View) -> Iterator[Block]:
    number = str(view.number)
    if view.result is not None:
        yield button("Run again", Action.RUN_AGAIN, number)
        if view.changeable:
            yield button("Run with changes", Action.RUN_CHANGE, number)
        if view.stopped_after is not None and view.schedule is not None:
            yield button("Resume the schedule", Action.JOB_RESUME, view.schedule)
    elif view.state is not State.STOPPING:
        if view.waits_for_yes:
            yield from answer_buttons(view)
        yield cancel_button(view)


def _log(view: View, page: str | None) -> Iterator[Block]:
    if view.build_link and (link := address(view.build_link)):
        yield link_button(f"Log of build {view.build_number}", Action.RUN_LOG, link)
    elif link := address(page):
        yield link_button("Log", Action.RUN_LOG, link)
