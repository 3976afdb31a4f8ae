"""Commands that keep things from starting, and let them start again: locks and freezes. Pure."""

from dataclasses import dataclass

from bot.commands.reader import Reader
from bot.states import EVERYTHING


@dataclass(frozen=True, slots=True)
class Lock:
    """Keep runs from starting on a target, for some seconds or until unlocked.

    Those of the asker go on, unless it is for `everyone`. `merged`: it ends with the pull request in which
    it is said.
    """

    target: str
    reason: str | None = None
    duration: float | None = None
    everyone: bool = False
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Unlock:
    """Let runs start on a target again."""

    target: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """Keep everything from starting, or what is named: until a time, for some seconds, or until thawed."""

    why: str | None = None
    until: str | None = None
    duration: float | None = None
    job: str | None = None
    lock: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Thaw:
    """Let what was frozen start again."""

    job: str | None = None
    lock: str | None = None
    environment: str | None = None


def read_lock(reader: Reader) -> Lock:
    """What is closed, why and for how long."""
    target, everyone = read_target(reader, "what to lock"), "everyone" in reader.flags
    word = reader.either("for", "until")
    reason = None if word or not reader.left else reader.take("a reason")
    match word or reader.either("for", "until"):
        case "for":
            return Lock(target, reason, reader.duration(), everyone)
        case "until":
            if reader.take("`merged`") != "merged":
                raise reader.refuse("A lock is `until merged`, or `for` some time.")
            return Lock(target, reason, None, everyone, merged=True)
    return Lock(target, reason, None, everyone)


def read_target(reader: Reader, what: str) -> str:
    """The name of what is closed or opened; `what` says it to who named nothing."""
    return EVERYTHING if "global" in reader.flags else reader.name(what)


def read_freeze(reader: Reader) -> Freeze:
    """Why, and for how long, nothing starts."""
    of = read_named(reader)
    word = reader.either("for", "until")
    why = None if word or not reader.left else reader.take("a reason")
    match word or reader.either("for", "until"):
        case "until":
            return Freeze(why, reader.moment(), None, *of)
        case "for":
            return Freeze(why, None, reader.duration(), *of)
    return Freeze(why, None, None, *of)


def read_named(reader: Reader) -> tuple[str | None, str | None, str | None]:
    """The job, the lock and the environment that a freeze is of."""
    return reader.flags.get("job"), reader.flags.get("lock"), reader.flags.get("environment")
