"""What keeps a run from starting, in words that follow "is waiting for" on its card, and in refusals.

What an engine says is a sentence, has no kind, and follows a colon.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bot.messages import freezes
from bot.messages.text import clean, plain
from bot.states import EVERYTHING, Wait, Waiting
from bot.tables import Lock, Run
from bot.text import vocabulary
from bot.text.vocabulary import duration, moment
from bot.text.wording import quoted


def who(actor: str) -> str:
    """Whoever asked, in one line."""
    return clean(vocabulary.who(actor), 80)


def not_alone(why: Mapping[str, Any]) -> str:
    """A no to a further run of a job of which one is under way (Markdown)."""
    stands = vocabulary.standing(why["state"], None).verb
    limit = why.get("limit") or 1
    many = "only one at a time is" if limit == 1 else f"only {limit} at a time are"
    of = f" for {quoted(clean(why['queue'], 200))}" if why.get("queue") else ""
    setting = "`concurrency: forbid`" if "limit" not in why else "`over: forbid`"
    return (
        f"{quoted(why['job'])} is not started: #{why['run']} {stands}"
        f" (asked by {quoted(who(why['actor']))}), and {many} allowed{of} ({setting})."
    )


def kind_of(run: Run) -> Wait | None:
    """Which kind of thing a run waits for; None for what an engine says, or a version before or after."""
    return next((each for each in Wait if each == run.waiting_for), None)


def sentence(run: Run) -> str | None:
    """What a run waits for: what is stored in words of ours, what an engine says as it is."""
    kind = kind_of(run)
    if kind is None or run.waiting_on is None:
        return run.waiting_for
    return words(Waiting(kind, run.waiting_on))


def waited_for(run: Run) -> str | None:
    """What a run that waits no longer has waited for last, where that is stored; not its place in a queue.

    The kind went with the end of the waiting, and is known by what it speaks of.
    """
    on = run.waiting_on
    if on is None or run.waiting_for is not None:
        return None
    kind = next((kind for kind, key in _KEYS if key in on), None)
    if kind is Wait.APPROVAL:
        on = {**on, "count": max(len(on.get("given") or ()), 1)}
    return None if kind is None else _WORDS[kind](on)


def kind_name(run: Run) -> str | None:
    """What kind of thing a run waits for, for programs: `closed`, `ahead`, `time`, `engine` and others."""
    kind = kind_of(run)
    return kind.name.lower() if kind is not None else "engine" if run.waiting_for else None


def words(waiting: Waiting) -> str:
    """What is waited for, with the place in the queue where there is one."""
    on = waiting.on
    text = _WORDS[waiting.kind](on)
    if "place" not in on:
        return text
    if on["place"] is None:
        return f"{text}; many others come first"
    around = f", its turn comes about {moment(on['around'])}" if "around" in on else ""
    return f"{text}; place {on['place']} in the queue{around}"


def target(name: str) -> str:
    """What is closed or open (Markdown)."""
    return "Everything" if name == EVERYTHING else quoted(name)


def _closed(on: Mapping[str, Any]) -> str:
    """A lock of a person: by whom, how long and why."""
    until = f" until {moment(on['until'])}" if on.get("until") is not None else ""
    why = f" ({clean(on['reason'], 200)})" if on.get("reason") else ""
    lock = "the lock of everything" if on["lock"] == EVERYTHING else f"the lock {on['lock']}"
    whom = ""
    if "everyone" in on:
        whom = " for everybody" if on["everyone"] else " for all others"
    own = ", which holds for what starts by itself" if on.get("automatic") else ""
    return f"{lock}, closed by {who(on['actor'])}{whom}{until}{why}{own}"


def _holder(on: Mapping[str, Any]) -> str:
    """A lock that a run holds, of which nothing is said where others read."""
    by = f"{on['job']} #{on['run']}, asked by {who(on['actor'])}" if "run" in on else "another run"
    how = "which gets it first" if on.get("next") else ""
    return f"the lock {on['lock']}, after {by}, {how}" if how else f"the lock {on['lock']}, held by {by}"


def _ahead(on: Mapping[str, Any]) -> str:
    """A run of the same job that goes first."""
    others = on.get("others") or 0
    more = f" or {'another' if others == 1 else f'one of {others} others'}" if others else ""
    of = f" ({clean(on['queue'], 200)})" if on.get("queue") else ""
    return f"#{on['run']}{more} to {'stop' if on['stopping'] else 'end'}{of}"


def _attempt(on: Mapping[str, Any]) -> str:
    """The next attempt of a run, some seconds after the one before."""
    rule = f" ({clean(on['rule'], 100)})" if on.get("rule") else ""
    return (
        f"attempt {on['attempt']} of {on['of']} to begin {duration(on['pause'])} after the one before{rule}"
    )


def _approval(on: Mapping[str, Any]) -> str:
    """The yes of somebody else: whose, how many are still wanted, and until when."""
    count = on.get("count", 1)
    if count == 0:
        return "its rules to be asked anew, since its yes is there"
    whose = clean(on.get("whose") or "somebody else", 200)
    until = f" until {moment(on['until'])}" if on.get("until") is not None else ""
    return f"a yes of {whose}{until}" if count == 1 else f"the yes of {count} people ({whose}){until}"


def _freeze(on: Mapping[str, Any]) -> str:
    """A freeze that began before it could start."""
    return f"the end of a freeze ({freezes.frozen(on, clean)})"


def _time(on: Mapping[str, Any]) -> str:
    """The moment for which somebody asked for it."""
    return moment(on["moment"])


def _turn(on: Mapping[str, Any]) -> str:
    """Its turn in a backfill, and how far that is."""
    failed = f", {on['failed']} failed" if on.get("failed") else ""
    return f"its turn in a backfill, of which {on['done']} of {on['turn']} are over{failed}"


_WORDS: dict[Wait, Callable[[Mapping[str, Any]], str]] = {
    Wait.CLOSED: _closed,
    Wait.HELD: _holder,
    Wait.AHEAD: _ahead,
    Wait.ATTEMPT: _attempt,
    Wait.APPROVAL: _approval,
    Wait.TIME: _time,
    Wait.FREEZE: _freeze,
    Wait.TURN: _turn,
}


_KEYS = (
    (Wait.TIME, "moment"),
    (Wait.FREEZE, "kind"),
    (Wait.TURN, "turn"),
    (Wait.APPROVAL, "whose"),
    (Wait.AHEAD, "stopping"),
    (Wait.CLOSED, "until"),
    (Wait.HELD, "lock"),
)
"""By what each kind is known; attempts are told with what became of them."""


def locked(lock: Lock, *, command: str) -> str:
    """The answer to who closed a target (Markdown)."""
    until = f" until {moment(lock.until)}" if lock.until is not None else ""
    if lock.pull_request is not None:
        until = f" until #{lock.pull_request} is merged or closed"
    rest = "nothing else starts, your own runs neither"
    if not lock.everyone:
        rest = "so does what you ask for yourself, and everything else waits, also what starts by itself"
    return (
        f"{target(lock.target)} is locked{until}: what has begun goes on, {rest}."
        f" {quoted(_unlock(lock, command))} opens it."
    )


def passed(lock: str) -> str:
    """What is told beforehand to who closed a lock, and goes on in spite of it (Markdown)."""
    name = "the lock of everything" if lock == EVERYTHING else f"the lock {quoted(lock)}"
    return f"{name} is yours: what you ask for goes on, others wait"


def awaited(lock: Lock, run: Run) -> str:
    """What who closed a target hears when somebody else's run waits for it (Markdown)."""
    name = "of everything" if lock.target == EVERYTHING else quoted(lock.target)
    return f"{quoted(run.job)} #{run.number}, asked by {quoted(who(run.actor))}, waits for your lock {name}."


def _unlock(lock: Lock, command: str) -> str:
    return f"{command} unlock {'--global' if lock.target == EVERYTHING else lock.target}"


def locked_already(lock: Lock, *, command: str) -> str:
    """The answer to who wants to close what somebody else closed (Markdown)."""
    until = f" until {moment(lock.until)}" if lock.until is not None else ""
    why = f": {plain(lock.reason, 200)}" if lock.reason else "."
    return (
        f"{target(lock.target)} is locked by {quoted(who(lock.actor))}{until} already{why}"
        f" {quoted(_unlock(lock, command))} opens it."
    )


def unlocked(name: str) -> str:
    """The answer to who opened a target (Markdown)."""
    return f"{target(name)} is open again."
