"""The words for states, results, causes, actors, durations and moments. Pure.

Every surface takes them from here: cards, Slack, statuses, answers in chats, pages and the command line. They
differ in markup alone, and each cleans what comes from outside (the names of actors) in its own way.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from bot.states import START_LIMIT, ActorKind, Cause, State
from executor.spec import Result

MEMBER = "somebody in Slack"
"""Who somebody is of whom only Slack's member id is known, which says nothing to people."""

_DAY = 86400
_UNITS = ((_DAY, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))
_AGO_MOST = 30 * _DAY
_MEMBER = re.compile(r"[UW][A-Z0-9]{7,20}")


class Word(NamedTuple):
    """A state or a result: `label` stands alone, `verb` follows a name; chats show `emoji`, others `sign`."""

    label: str
    verb: str
    emoji: str
    sign: str


STATES: Mapping[State, Word] = {
    State.WAITING: Word("waiting", "is waiting", "🕓", "●"),
    State.BUILDING: Word("building", "is building", "🔨", "●"),
    State.STARTING: Word("starting", "is starting", "🕓", "●"),
    State.RUNNING: Word("running", "is running", "▶️", "●"),
    State.STOPPING: Word("stopping", "is stopping", "⏹️", "●"),
}
"""Of what has ended the result is told instead."""

RESULTS: Mapping[Result, Word] = {
    Result.SUCCEEDED: Word("succeeded", "succeeded", "✅", "✓"),
    Result.FAILED: Word("failed", "failed", "❌", "✗"),
    Result.CANCELLED: Word("cancelled", "was cancelled", "🚫", "■"),
    Result.TIMED_OUT: Word("timed out", "timed out", "⌛", "✗"),
    Result.ERROR: Word("error", "could not be carried out", "⚠️", "!"),
}

OVERLAPS: Mapping[str, str] = {
    "forbid": "refused while another run of it is under way",
    "replace": "a run of it that is under way is stopped for this one",
    "queue": "waits until other runs of it have ended",
}
"""What becomes of a run by its job's `concurrency`; `allow` says nothing."""

CAUSES: Mapping[Cause, str] = {
    Cause.PUSH: "after a push",
    Cause.COMMENT: "in a comment",
    Cause.CHECK: "by a button of a check",
    Cause.SLACK: "in Slack",
    Cause.API: "through the API",
    Cause.HOOK: "through a deploy hook",
    Cause.ACTIONS: "through a workflow",
    Cause.SCHEDULE: "by schedule",
    Cause.CHAT: "in a terminal",
    Cause.PAGE: "on a page",
    Cause.DEPLOYMENT: "for a deployment",
    Cause.DEPLOYMENT_STATUS: "after a deployment",
    Cause.PROTECTION_RULE: "before a deployment",
    Cause.RELEASE: "after a release",
    Cause.PULL_REQUEST: "by a pull request",
    Cause.WORKFLOW: "after a workflow",
    Cause.MERGE_GROUP: "for a merge queue",
    Cause.DISPATCH: "through a dispatch",
    Cause.CHAIN: "for what it follows",
}
"""How it was asked for, to follow the name of whoever did."""

ACTORS: Mapping[ActorKind, str] = {
    ActorKind.GITHUB: "",
    ActorKind.SLACK: "Slack",
    ActorKind.TOKEN: "API token",
    ActorKind.HOOK: "deploy hook",
    ActorKind.ACTIONS: "workflow",
    ActorKind.TERMINAL: "terminal",
    ActorKind.SCHEDULE: "",
}
"""What stands in brackets behind a name; a login of GitHub is told as it is."""

_OWN = {
    Cause.SLACK: ActorKind.SLACK,
    Cause.HOOK: ActorKind.HOOK,
    Cause.ACTIONS: ActorKind.ACTIONS,
    Cause.CHAT: ActorKind.TERMINAL,
}
"""The actors whose kind the words of a cause say already."""


def result_of(text: str | None) -> Result:
    """The result; whatever this version does not know is nobody's success."""
    return next((result for result in Result if result == text), Result.ERROR)


def standing(state: str, result: str | None) -> Word:
    """The word for how something stands: its result once it has ended, else its state.

    A state that this version does not know, as a newer service may tell, is said as it came.
    """
    if state == State.FINISHED:
        return RESULTS[result_of(result)]
    return next(
        (word for each, word in STATES.items() if each == state), Word(state, f"is {state}", "🕓", "●")
    )


def who(actor: str, cause: str | None = None) -> str:
    """Whoever asked, as people call them: `octocat`, `kim (Slack)`, `ci (API token)`, `schedule`.

    Where `cause` is told beside it (`how`), the name does not say the same once more.
    """
    kind, name = _parts(actor)
    where = "" if kind is None or name == MEMBER else ACTORS[kind]
    is_said = any(cause == each and kind is own for each, own in _OWN.items())
    return f"{name} ({where})" if where and not is_said else name


def name_of(actor: str) -> str:
    """The name alone, without its kind, as the API tells who paused a schedule."""
    return _parts(actor)[1]


def _parts(actor: str) -> tuple[ActorKind | None, str]:
    """The kind, None for one that this version does not know, and the name as people see it."""
    kind, _, name = actor.partition(":")
    if kind == "run" and name.isdecimal():
        return None, f"run #{name}"
    actor_kind = next((each for each in ActorKind if each == kind and name), None)
    if actor_kind is None:
        return None, actor
    return actor_kind, MEMBER if actor_kind is ActorKind.SLACK and _MEMBER.fullmatch(name) else name


def how(actor: str, cause: str) -> str:
    """How it was asked for, behind the name: `in a comment`; nothing where the name says that itself."""
    if actor == cause or (cause == Cause.SLACK and who(actor) == MEMBER):
        return ""
    return next((text for each, text in CAUSES.items() if each == cause), "")


def in_a_row(failures: int) -> str:
    """So many failures: `a failure`, `5 failures in a row`."""
    return "a failure" if failures == 1 else f"{failures} failures in a row"


def lead_in(cause: str) -> str:
    """What leads to the name: a schedule asks for nothing."""
    return "started by" if cause == Cause.SCHEDULE else "asked by"


def stopper(stop_by: str) -> str:
    """What asked to stop a run, to follow `is to stop`: `asked by octocat`, `as #143 takes its place`."""
    kind, _, number = stop_by.partition(":")
    if stop_by == START_LIMIT:
        return "as it did not start in time"
    return f"as #{number} takes its place" if kind == "run" else f"asked by {who(stop_by)}"


def duration(seconds: float) -> str:
    """A length of time, its two largest units: `0.4s`, `12s`, `1m 12s`, `2h 5m`, `3d 4h`.

    The clocks of pages that tick are written by `errand.js`, in the same form.
    """
    if seconds < 0.05:
        return "0s"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    total = round(seconds)
    if total < 60:
        return f"{total}s"
    unit, name, smaller, smaller_name = next(each for each in _UNITS if total >= each[0])
    rest = total % unit // smaller
    return f"{total // unit}{name} {rest}{smaller_name}" if rest else f"{total // unit}{name}"


def roughly(seconds: float) -> str:
    """A length of time that grows while it is looked at, in one unit below an hour: `40s`, `12m`, `2h 5m`."""
    return duration(seconds - seconds % 60 if seconds >= 60 else float(int(seconds)))


def moment(at: float, zone: tzinfo = UTC) -> str:
    """A moment, always with its date, since it is read later as well: `2026-01-31 14:03 UTC`."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M %Z")


def scheduled(at: float, zone: tzinfo) -> str:
    """A moment by the clocks of a schedule's zone, with its day: `Sun 2026-03-29 03:30 EEST`."""
    return f"{datetime.fromtimestamp(at, zone):%a} {moment(at, zone)}"


def ago(at: float, now: float) -> str:
    """How long ago, beside the moment itself: `just now`, `5 minutes ago`, after a month the date."""
    passed = now - at
    if passed < 60:
        return "just now"
    if passed >= _AGO_MOST:
        return moment(at)[:10]
    size, word = next(each for each in ((_DAY, "day"), (3600, "hour"), (60, "minute")) if passed >= each[0])
    count = int(passed // size)
    return f"{count} {word}{'' if count == 1 else 's'} ago"
