"""Several things in one message: failures in a row, due moments that were missed, a storm of runs.

And what hangs below such a message, and the line that says for which occasion a card came. Who is called
comes as mentions that are made of configuration alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.catalog.streaks import OTHER_CAUSE, Streak
from bot.messages.mrkdwn import date, escaped, fitted, link
from bot.messages.slack.elements import MESSAGE_CHARACTERS, Block, context, section, size
from bot.messages.verdicts import reason
from bot.messages.view import View
from bot.text.vocabulary import duration, standing

LISTED = 20
"""Of the things of a storm, how many are listed."""
_LISTED_FIRST = ("failed", "timed_out", "error", "missed", "cancelled", None, "succeeded")

Message = tuple[str, list[Block]]
Thing = Mapping[str, Any]
"""Of a storm: `noun`, `name`, `number`, `state`, `result` (or that it was missed), `count` in a row."""


@dataclass(frozen=True, slots=True)
class Line:
    """A run or a build and the address of its page, as the place of the message may see it."""

    view: View
    link: str | None


def streak(job: str, facts: Streak, lines: Sequence[Line], mentions: str, card: Message | None) -> Message:
    """Failures in a row: how many, since when, the newest of them, and the card of the last."""
    name, count = fitted(job, 100), _times(facts.count)
    if facts.ended_by is not None:
        after = f"{count} since {date(facts.since)}, the last at {date(facts.last_at)}"
        head = f"✅ *{name}* has recovered with #{facts.ended_by}. It had failed {after}"
        return f"✅ {name} has recovered", [section(head), *_list(lines)]
    calls = f" {mentions}" if mentions else ""
    if facts.count == 1 and card is not None:
        text, blocks = card
        return f"{text}{calls}", _fitting([*([section(mentions)] if mentions else []), *blocks])
    head = f"❌ *{name}* failed {count} since {date(facts.since)}, last at {date(facts.last_at)}{calls}"
    below = card[1] if card is not None else []
    return f"❌ {name} failed {count}{calls}", _fitting([section(head), *_list(lines[1:]), *below])


def _fitting(blocks: list[Block]) -> list[Block]:
    """As many as Slack takes: what stands first matters most."""
    while len(blocks) > 1 and size(blocks) > MESSAGE_CHARACTERS:
        blocks = blocks[:-1]
    return blocks


def missed(job: str, facts: Mapping[str, Any], mentions: str) -> Message:
    """Due moments of a schedule for which nothing ran: `count`, `since`, `last_at`, and why not the last."""
    name, count = fitted(job, 100), int(facts["count"])
    why = fitted(reason(facts.get("reason") or {}), 500)
    times = f"at {date(facts['since'])}"
    if count > 1:
        times = f"{_times(count)} since {date(facts['since'])}, last for {date(facts['last_at'])}"
    if facts.get("ended_by") is not None:
        return f"✅ {name} runs again", [section(f"✅ *{name}* runs again. It had not run {times}")]
    head = f"⏰ *{name}* did not run {times}{f' {mentions}' if mentions else ''}"
    return f"⏰ {name} did not run {mentions}".rstrip(), [section(head), *([context(why)] if why else [])]


def ordered(things: Mapping[str, Thing]) -> list[Thing]:
    """What failed first, then what goes on; the oldest first."""
    order = {result: at for at, result in enumerate(_LISTED_FIRST)}
    return sorted(things.values(), key=lambda each: (order.get(each["result"], 0), each["number"] or 0))


def storm(things: Sequence[Thing], lines: Mapping[int, Line], mentions: str) -> Message:
    """Many things that a channel could only be told one a second: counted by how they stand, and listed.

    `lines` are those of the runs that are kept, by number.
    """
    counts = Counter(_label(each) for each in things)
    nouns = {each["noun"] for each in things}
    noun = f"{nouns.pop()}s" if len(nouns) == 1 else "runs and builds"
    standings = ", ".join(f"{count} {label}" for label, count in counts.items())
    calls = f" {mentions}" if mentions else ""
    shown = [_thing(each, lines) for each in things[:LISTED]]
    if len(things) > LISTED:
        shown.append(f"and {len(things) - LISTED} more")
    head = section(f"📦 *{len(things)} {noun}* at once: {standings}{calls}")
    parts = [section("\n".join(shown[at : at + 7])) for at in range(0, len(shown), 7)]
    return f"📦 {len(things)} {noun} at once: {standings}{calls}", _fitting([head, *parts])


def note(about: str, job: str, facts: Mapping[str, Any], line: Line | None, mentions: str) -> str:
    """What stands in the thread of such a message, or of a card: why somebody is called or ought to look."""
    name = fitted(job, 100)
    run = _run(line) if line is not None else ""
    calls = f"{mentions} " if mentions else ""
    if about == "recovered":
        return f"✅ *{name}* has recovered after {_failures(facts)}. {run}".rstrip()
    if about == OTHER_CAUSE:
        return f"{calls}❌ *{name}* fails for another reason now. {run}".rstrip()
    if about.startswith("failed_"):
        return f"{calls}❌ *{name}* failed {_times(facts['count'])} in a row. {run}".rstrip()
    still = _occasion(facts, is_over=False)
    return f"{still} {run}" if still else f"{calls}{run or name}"


def with_occasion(facts: Mapping[str, Any] | None, view: View, blocks: list[Block]) -> list[Block]:
    """The blocks of a card with the line that says why it came, where it does not say so itself."""
    line = _occasion(facts or {}, is_over=view.result is not None)
    return _fitting([context(line), *blocks]) if line else blocks


def _occasion(facts: Mapping[str, Any], *, is_over: bool) -> str:
    match facts.get("kind"):
        case "slow":
            limit = duration(float(facts["seconds"]))
            if facts.get("expected"):
                return f"🐢 It {'took' if is_over else 'takes'} longer than the {limit} that are expected."
            return f"🐢 It {'was' if is_over else 'is'} slow: 95 of 100 of its runs took at most {limit}."
        case "overlapping":
            still = "It still ran when it was" if is_over else "It still runs, and was"
            return f"⏰ {still} due again: {date(float(facts['at']))}."
        case "stopped":
            times = _times(int(facts["failures"]))
            return f"⏸️ Its schedule *{fitted(facts['schedule'], 100)}* is paused: it failed {times} in a row."
        case "recovered":
            return f"✅ It has recovered after {_failures(facts)}."
    return ""


def _failures(facts: Mapping[str, Any]) -> str:
    count = int(facts.get("count", 1))
    if count == 1:
        return f"a failure at {date(facts['since'])}"
    return f"{count} failures since {date(facts['since'])}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _list(lines: Sequence[Line]) -> list[Block]:
    return [context("\n".join(_run(line) for line in lines))] if lines else []


def _run(line: Line) -> str:
    view = line.view
    number = link(line.link, f"#{view.number}") if line.link else f"#{view.number}"
    why = f": {fitted(view.why, 200)}" if view.result is not None and view.why else ""
    return f"{view.icon} {number} {escaped(view.verdict)}{why}"


def _label(thing: Thing) -> str:
    """How it stands, in the word that is counted."""
    if thing["result"] == "missed":
        return "not run"
    return standing(thing["state"], thing["result"]).label


def _thing(thing: Thing, lines: Mapping[int, Line]) -> str:
    name, count = f"*{fitted(thing['name'], 60)}*", int(thing["count"])
    if thing["result"] == "missed":
        return f"⏰ {name} did not run{f' {_times(count)}' if count > 1 else ''}"
    word, is_build = standing(thing["state"], thing["result"]), thing["noun"] == "build"
    line = None if is_build else lines.get(thing["number"])
    label = f"{'build ' if is_build else ''}#{thing['number']}"
    number = link(line.link, label) if line is not None and line.link else label
    verdict = line.view.verdict if line is not None else word.verb
    times = f", {_times(count)} in a row" if count > 1 else ""
    return f"{word.emoji} {name} {number} {escaped(verdict)}{times}"
