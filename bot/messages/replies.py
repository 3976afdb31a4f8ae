"""What is said once, in Markdown; Slack gets it through `slack_text`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.access.people import SENTENCES, Membership
from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.messages import paging
from bot.messages.approvals import whose
from bot.messages.comments import headline
from bot.messages.text import ZERO_WIDTH, code, codes, fence, plain, shortened, url
from bot.messages.view import View, run_view
from bot.states import Hold, State
from bot.tables import Build, Run
from bot.text.vocabulary import moment

RUNS = 20
LOG_CHARACTERS = 8000
REPLY_CHARACTERS = 60_000
STARTERS = 3  # as many are told of a job in a list


class JobListing(Protocol):
    """What a listing needs of a job."""

    @property
    def description(self) -> str | None:
        """A sentence for people."""
        ...

    @property
    def starters(self) -> Sequence[str]:
        """What on GitHub starts it, in words."""
        ...


def joined(texts: Sequence[str]) -> str:
    """Several replies as one, within what a comment takes."""
    return shortened("\n\n".join(text for text in texts if text), REPLY_CHARACTERS)


def started(run: Run) -> str:
    """The answer in Slack to who started a run; the card follows in the channel."""
    named = f"{plain(run.job, 100)} #{ZERO_WIDTH}{run.number}"
    return (
        f"{named} waits for a yes of {code(whose(run))}."
        if run.hold == Hold.APPROVAL
        else f"{named} is on its way."
    )


def starts_later(run: Run, when: str, *, command: str) -> str:
    """The answer to who asked for a run at a moment; `when` says it by which clocks."""
    back = code(f"{command} cancel #{run.number}")
    return f"{plain(run.job, 100)} #{ZERO_WIDTH}{run.number} starts on {when}. {back} takes it back."


def backfilled(
    key: str, numbers: Sequence[int], shown: tuple[str, str], skipped: int, *, command: str
) -> str:
    """The answer to who asked for a backfill of these runs, from and until `shown`; others had run before."""
    many = f"{len(numbers)} run{'' if len(numbers) == 1 else 's'} of {code(key)}"
    first, last = code(f"#{numbers[0]}"), code(f"#{numbers[-1]}")
    span = f"for {shown[0]}" if len(numbers) == 1 else f"from {shown[0]} to {shown[1]}, one by one"
    moments = (
        "1 due moment ran before and is" if skipped == 1 else f"{skipped} due moments ran before and are"
    )
    left = f" {moments} left out." if skipped else ""
    back = code(f"{command} cancel #{numbers[-1]}")
    which = (
        f"They are {first} to {last}; the last tells how far it is."
        if len(numbers) > 1
        else f"It is {first}."
    )
    return f"{many} {span}. {which}{left} {back} ends it as a whole."


def building(build: Build) -> str:
    """The answer to who asked for a build: it goes on, or was made before."""
    if build.state == State.FINISHED:
        return f"{code(build.image)} is already built from that commit: build #{build.number}."
    commit = f" from {code(build.commit[:12])}" if build.commit else ""
    return f"{plain(build.image, 100)} build #{ZERO_WIDTH}{build.number}{commit} is on its way."


def not_built(image: Image) -> str:
    """The answer to who asks to build what is not built here."""
    where = "comes from a registry" if image.reference else "is what a workload runs"
    return f"{code(image.name)} is not built here: it {where}, {code(image.origin)}."


def stopping(run: Run) -> str:
    """The answer to who cancelled a run."""
    return f"{plain(run.job, 100)} #{ZERO_WIDTH}{run.number} is being stopped."


def listing(jobs: Mapping[str, JobListing], command: str = "/job", page: int = 1) -> str:
    """A page (from 1) of the jobs with their descriptions; beyond the last page it is that."""
    if not jobs:
        return "No jobs are defined here."
    lines = []
    for name, job in sorted(jobs.items()):
        about = f": {plain(job.description, 200)}" if job.description else ""
        itself = f" (starts with {codes(job.starters[:STARTERS])})" if job.starters else ""
        lines.append(f"- {code(name, 100)}{about}{itself}")
    shown = paging.page(lines, page)
    footer = shown.footer(f"{len(jobs)} jobs", f"{command} list")
    return "\n".join([f"Start one with {code(f'{command} run NAME')}:", "", *shown.lines, *footer])


def job_help(job: Job, command: str = "/job", page: int = 1) -> str:
    """What a job does and, a page (from 1) of it, what can be given to it."""
    about = plain(job.description, 500) if job.description else "no description"
    lines = []
    for name, parameter in job.parameters.items():
        end = ", required" if parameter.required else ""
        if parameter.default is not None:
            end = f", default {code(parameter.default)}"
        note = f" ({plain(parameter.description, 300)})" if parameter.description else ""
        lines.append(f"- {code(name)}{note}: {parameter.expectation}{end}")
    shown = paging.page(lines, page)
    footer = shown.footer(f"{len(lines)} parameters", f"{command} help {job.name}")
    itself = [f"It starts by itself with {codes(job.starters)}."] if job.starters else []
    return "\n".join(
        [f"{code(f'{command} run {job.name}')}: {about}", *itself, "", *shown.lines, *footer]
    ).strip()


def status_reply(
    runs: Sequence[Run], *, links: Mapping[int, str] | None = None, rest: str | None = None
) -> str:
    """How runs stand, one line each; `links` leads from numbers to pages, `rest` is the command for more."""
    if not runs:
        return "There are no such runs."
    views = [run_view(run) for run in runs[:RUNS]]
    lines = []
    for view in views:
        since = f", started {moment(view.started_at)}" if view.started_at is not None else ""
        label, who = view.by
        line = headline(view, (links or {}).get(view.number))
        lines.append(f"- {line}, {label} {code(who, 80)}{since}")
    if len(runs) > RUNS:
        more = f"; {code(rest)} lists them" if rest else ""
        lines.append(f"- and {len(runs) - RUNS} more{more}")
    return "\n".join(lines)


def history(runs: Sequence[Run], *, links: Mapping[int, str], page: int, following: str | None) -> str:
    """A page (from 1) of runs, newest first, and the command for the next one; None: it is the last."""
    if not runs and page > 1:
        return f"There are no runs on page {page}."
    text = status_reply(runs, links=links)
    if following is not None:
        return f"{text}\n\nPage {page}; older ones: {code(following)}."
    return text if page == 1 else f"{text}\n\nPage {page}, the last one."


def logs_reply(run: Run, lines: Sequence[str], link: str | None) -> str:
    """The last lines of a run's log and where all of it is."""
    where = f"[The whole log]({url(link)})" if link else ""
    shown = fence(lines, limit=LOG_CHARACTERS) if lines else "Nothing was written yet."
    return "\n\n".join(part for part in (headline(run_view(run), link), shown, where) if part)


def end_reply(view: View, link: str, remedy: str) -> str:
    """How it ended, for who asked for it where no card can be, and what to do to have one."""
    parts = [headline(view, link), plain(view.why, 1000) if view.why else ""]
    if view.shows_tail:
        parts.append(fence(view.tail, limit=LOG_CHARACTERS))
    return "\n\n".join(part for part in (*parts, f"[Log]({url(link)}) · {remedy}") if part)


def remedy(error: object, sentence: str) -> str:
    """What to do so that cards come, by the name of Slack's error; `sentence` is Slack's refusal in words."""
    if error in ("not_in_channel", "channel_not_found"):
        return "Only you see this; `/invite @errand` in a channel shows it there."
    return f"Only you see this: {plain(sentence, 300)}."


def logs_elsewhere(run: Run, link: str) -> str:
    """The answer to who asks, where everybody reads, for the log of a run that is not everybody's."""
    where = f"[Its page]({url(link)}) shows the log after a login."
    return f"{headline(run_view(run), link)}\n\nEverybody reads here, so its lines are not shown. {where}"


def unknown_person(membership: Membership = Membership.MEMBER) -> str:
    """The answer to somebody in Slack of whom it is not known who they are on GitHub, with the reason."""
    return SENTENCES[membership]


def on_issue() -> str:
    """The answer to a command in a place that has no code."""
    return (
        "This is an issue, and commands count in pull requests only, because they work on their code."
        " Nothing was started; please write it in a pull request, or in Slack."
    )


def login_elsewhere(word: str) -> str:
    """Where somebody logs in who asked for it where others would see the link."""
    return (
        "A link that logs you in is for your eyes only: type"
        f" {code(f'{word} login', 60)} as a slash command in Slack. Errand's pages log you in with GitHub,"
        " and `errand login ADDRESS` does in a terminal."
    )


def error_reply(text: str) -> str:
    """What went wrong, in a sentence that is Markdown already."""
    return f"🤔 {shortened(text, REPLY_CHARACTERS)}"
