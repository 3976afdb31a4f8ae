"""A line of text becomes a command, or a sentence for the person who typed it. Pure.

`bot.commands.grammar` is the table that says what may follow which verb; here each verb gets its meaning.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.commands.closing import Freeze, Lock, Thaw, Unlock, read_freeze, read_lock, read_named, read_target
from bot.commands.grammar import VERBS, help_text
from bot.commands.reader import Reader, split, typography_hint
from bot.errors import AskerError
from bot.text.refs import is_full_sha, is_sha
from bot.text.wording import did_you_mean, quoted

__all__ = [
    "VERBS",
    "Freeze",
    "Lock",
    "Thaw",
    "Unlock",
    "help_text",
    "of_words",
    "parse",
    "verb_of",
]


SHORTEST_SHA = 7
"""Letters of a commit by which one can be approved."""


@dataclass(frozen=True, slots=True)
class Run:
    """Start a job, `at` a time as typed (ISO 8601), after a `delay` in seconds, or at once.

    `arguments` are what stood after `--`; `override` says why, in spite of a freeze.
    """

    name: str
    parameters: dict[str, str] = field(default_factory=dict)
    ref: str | None = None
    image_tag: str | None = None
    arguments: tuple[str, ...] = ()
    override: str | None = None
    at: str | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """Run again: run `number`, or the last run of job `name`, or (both None) the last one here."""

    number: int | None = None
    name: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    latest: bool = False
    override: str | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop run `number`, or the runs of job `name`, or (both None) what was last started here."""

    number: int | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Logs:
    """The end of a run's log."""

    number: int


@dataclass(frozen=True, slots=True)
class Status:
    """How run `number`, job `name` or (both None) everything stands.

    With a `page` (from 1) that page of everything, or of the runs of job `name`.
    """

    number: int | None = None
    name: str | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class List:
    """The jobs there are, a page of them (from 1)."""

    page: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What `Run` with the same fields would do."""

    name: str
    parameters: dict[str, str] = field(default_factory=dict)
    ref: str | None = None
    image_tag: str | None = None
    arguments: tuple[str, ...] = ()
    override: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why a job did or did not run."""

    name: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Keep a schedule from firing: until a time as typed (ISO 8601), for some seconds, or until resumed.

    `schedule` None: all of the job.
    """

    name: str
    until: str | None = None
    duration: float | None = None
    schedule: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PauseAll:
    """The same with all schedules there are."""

    until: str | None = None
    duration: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Let a paused schedule go on, or all of the job."""

    name: str
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeAll:
    """Let all schedules go on that were paused together."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave out the next time of a schedule, or the next of all of the job."""

    name: str
    schedule: str | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """Run a job for due moments since a date as typed until another (None: now); `again`: all that ran."""

    name: str
    since: str
    until: str | None = None
    schedule: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """Yes to run `number`, which waits for it, or to the commit `sha` (or its beginning) of a fork."""

    number: int | None = None
    sha: str | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """No to a run that waits for a yes, and why."""

    number: int
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """Build an image."""

    image: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """Log in to the pages."""


@dataclass(frozen=True, slots=True)
class Help:
    """Help in general, or about `topic`: a verb, else the name of a job, of that a page (from 1)."""

    topic: str | None = None
    page: int = 1


Command = (
    Run | Rerun | Cancel | Logs | Status | List | Plan | Why | Pause | PauseAll | Resume | ResumeAll | Skip
    | Backfill
    | Lock | Unlock | Freeze | Thaw | Approve | Deny | Build | Login | Help
)  # fmt: skip


def parse(line: str, first_word: str = "/job") -> Command:
    """The command that `line` (which begins with `first_word`) means.

    Raises AskerError whose text says what is wrong, where, and what was probably meant.
    """
    words = split(line)
    if len(words) > 1 and words[0] == first_word and words[1].casefold() == first_word.casefold():
        meant = " ".join([first_word, *line.split()[2:]])
        raise AskerError(f"The first word stands there twice. Please type {quoted(meant)}.")
    return of_words(words, first_word)


def of_words(words: Sequence[str], first_word: str) -> Command:
    """The command that words mean which are split already, as by a shell; raises the same."""
    if not words or words[0] != first_word:
        raise AskerError(f"A command begins with {quoted(first_word)}.")
    if len(words) == 1:
        return Help()
    verb = VERBS.get(words[1])
    if verb is None:
        raise AskerError(
            f"There is no {quoted(f'{first_word} {words[1]}')}.{did_you_mean(words[1], VERBS)}"
            f" {quoted(first_word + ' help')} lists what there is.{typography_hint(words[1])}"
        )
    reader = Reader(verb, first_word, words[2:])
    command = _MEANINGS[verb.name](reader)
    reader.done()
    return command


def verb_of(command: Command) -> str:
    """The verb by which people call `command`."""
    return type(command).__name__.removesuffix("All").lower()


def _run(reader: Reader) -> Run:
    name = reader.name("the name of a job")
    when = reader.either("at", "in")
    return Run(
        name,
        reader.parameters,
        reader.ref(),
        reader.image_tag(),
        reader.arguments,
        reader.flags.get("override"),
        reader.moment() if when == "at" else None,
        reader.duration() if when == "in" else None,
    )


def _plan(reader: Reader) -> Plan:
    name = reader.name("the name of a job")
    return Plan(
        name,
        reader.parameters,
        reader.ref(),
        reader.image_tag(),
        reader.arguments,
        reader.flags.get("override"),
    )


def _rerun(reader: Reader) -> Rerun:
    number, name = reader.number_or_name()
    return Rerun(number, name, reader.parameters, "latest" in reader.flags, reader.flags.get("override"))


def _status(reader: Reader) -> Status:
    number, name = reader.number_or_name()
    page = reader.page_flag()
    if number is not None and page is not None:
        raise reader.refuse("`--page` is for lists, and a number means one run.")
    return Status(number, name, page)


def _help(reader: Reader) -> Help:
    if not reader.left:
        return Help()
    topic = reader.name("a verb or a job")
    return Help(topic) if topic in VERBS else Help(topic, reader.page())


def _pause(reader: Reader) -> Pause | PauseAll:
    name, schedule = ("", None) if "all" in reader.flags else reader.schedule()
    how_long, reason = reader.either("until", "for"), None
    if how_long is None and reader.left:
        reason, how_long = reader.take("a reason"), reader.either("until", "for")
    until = reader.moment() if how_long == "until" else None
    duration = reader.duration() if how_long == "for" else None
    if "all" in reader.flags:
        return PauseAll(until, duration, reason)
    return Pause(name, until, duration, schedule, reason)


def _backfill(reader: Reader) -> Backfill:
    name, schedule = reader.schedule()
    if reader.either("from") is None:
        raise reader.refuse("From when is said by `from`, such as `from 2030-01-31`.")
    since = reader.moment("until")
    until = reader.moment() if reader.either("until") else None
    return Backfill(name, since, until, schedule, "again" in reader.flags)


def _approve(reader: Reader) -> Approve:
    """Digits alone are a run's number, unless there are as many as in a whole SHA."""
    word = reader.left[0] if reader.left else ""
    if is_sha(word) and len(word) >= SHORTEST_SHA and (not word.isdecimal() or is_full_sha(word)):
        return Approve(sha=reader.take("a commit").lower())
    return Approve(reader.number())


_MEANINGS: dict[str, Callable[[Reader], Command]] = {
    "run": _run,
    "rerun": _rerun,
    "cancel": lambda reader: Cancel(*reader.number_or_name()),
    "logs": lambda reader: Logs(reader.number()),
    "status": _status,
    "list": lambda reader: List(reader.page()),
    "plan": _plan,
    "why": lambda reader: Why(reader.name("the name of a job")),
    "build": lambda reader: Build(reader.name("the name of an image"), reader.ref()),
    "pause": _pause,
    "resume": lambda reader: ResumeAll() if "all" in reader.flags else Resume(*reader.schedule()),
    "skip": lambda reader: Skip(*reader.schedule()),
    "backfill": _backfill,
    "lock": read_lock,
    "unlock": lambda reader: Unlock(read_target(reader, "what to unlock")),
    "freeze": read_freeze,
    "thaw": lambda reader: Thaw(*read_named(reader)),
    "approve": _approve,
    "deny": lambda reader: Deny(reader.number(), reader.take("a reason") if reader.left else None),
    "login": lambda reader: Login(),
    "help": _help,
}
