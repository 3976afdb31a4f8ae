"""Splits a line into words as a shell would, without a shell, and takes them one by one.

Nothing is expanded: no variables, no globs, no substitutions.
"""

import re
import shlex
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import datetime, time

from bot.catalog.parameters import VALUE_LIMIT
from bot.commands.grammar import Verb
from bot.errors import AskerError
from bot.text import refs
from bot.text.units import seconds
from bot.text.wording import did_you_mean, quoted

LINE_LIMIT = 8192
"""Bytes of one command, in UTF-8."""

_LONGEST = 366 * 86400.0
"""Seconds: no pause or lock is for longer."""

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?", re.ASCII)
_NUMBER = re.compile(r"#?([0-9]{1,18})", re.ASCII)
_PAGE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)

_MASKED = "\ufffc"
"""What `bot.commands.markdown` puts for inline code and HTML within a command line."""

_CURLED = {'"': "“”„‟", "'": "‘’‚‛"}

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories of what a reader cannot see or tell apart."""


def split(line: str) -> list[str]:
    """The words of `line`; AskerError with the place where it cannot be split or read."""
    if len(line.encode(errors="replace")) > LINE_LIMIT:
        raise AskerError(f"This command is longer than {LINE_LIMIT} bytes.")
    for place, character in enumerate(line, 1):
        problem = _unreadable(character)
        if problem:
            raise AskerError(problem.format(place=place))
    straight = straightened(line)
    try:
        return shlex.split(straight)
    except ValueError:
        place = _open_place(straight)
        raise AskerError(
            f"The {quoted(line[place])} at character {place + 1} of this command has no end:"
            f" {quoted(line[place : place + 30])}.{typography_hint(line)}"
        ) from None


def straightened(line: str) -> str:
    """The same, as long, with plain quotes for those that keyboards curl where a word or a value is quoted.

    Within plain quotes, and within a word as in `it’s`, they are what was typed.
    """
    characters = list(line)
    quote, ends, escaped = "", "", False
    for place, character in enumerate(line):
        before, after = line[place - 1 : place] or " ", line[place + 1 : place + 2] or " "
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            if character == quote or (character in ends and after in " \t"):
                characters[place], quote = quote, ""
        elif character in _CURLED:
            quote, ends = character, ""
        elif before in " \t=":
            quote = next((plain for plain, curled in _CURLED.items() if character in curled), "")
            ends = _CURLED.get(quote, "")
            characters[place] = quote or character
    return "".join(characters)


def _unreadable(character: str) -> str | None:
    """Why a reader of the command would not see what this character does; None for ordinary ones."""
    if character == _MASKED:
        return (
            "Part of this command is inline code or HTML, which never counts."
            " Write it as plain text, in quotes where it has spaces."
        )
    if character in " \t":
        return None
    if unicodedata.category(character) in _INVISIBLE or character == "\ufffd":
        shown = f"U+{ord(character):04X}"
        return f"Character {{place}} of this command is invisible (`{shown}`); please leave it out."
    if character.isspace():
        return "Character {place} of this command is an unusual space; please type a plain one."
    return None


def _open_place(line: str) -> int:
    """Where the quotation that is never closed begins, or the backslash that ends the line."""
    quote, start, escaped = "", 0, False
    for place, character in enumerate(line):
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
            start = start if quote else place
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote, start = character, place
    return start


def typography_hint(text: str) -> str:
    """A hint where a keyboard has made a long dash of two, which means nothing here."""
    if any(character in text for character in "—–"):
        return " Long dashes are plain text here; please type `--`."
    return ""


class Reader:
    """The words after a verb, sorted; `left` are taken one by one. Every refusal shows the usage."""

    def __init__(self, verb: Verb, first_word: str, words: Sequence[str]) -> None:
        self._verb = verb
        self._usage = f"{first_word} {verb.usage}"
        self._hint = typography_hint(" ".join(words))
        self.left: list[str] = []
        self.parameters: dict[str, str] = {}
        self.flags: dict[str, str] = {}
        self.arguments: tuple[str, ...] = ()
        self._sort(words)

    def _sort(self, words: Sequence[str]) -> None:
        rest = iter(words)
        for word in rest:
            if word == "--":
                self.arguments = tuple(rest)
                if not self._verb.arguments:
                    raise self.refuse(f"{quoted(self._verb.name)} takes nothing after `--`.")
            elif word.startswith("--"):
                self._flag(word, rest)
            elif self._verb.assignments and "=" in word:
                self._assign(word)
            elif word.startswith("-") and len(word) > 1:
                raise self.refuse(f"{quoted(word)} is no option. Text that begins with `-` goes after `--`.")
            else:
                self.left.append(word)

    def _flag(self, word: str, rest: Iterator[str]) -> None:
        name, equals, value = word[2:].partition("=")
        flags = {flag.name: flag for flag in self._verb.flags}
        if name not in flags:
            raise self.refuse(
                f"{quoted('--' + name)} is no option of {quoted(self._verb.name)}."
                f"{did_you_mean('--' + name, ['--' + each for each in flags])}"
            )
        if name in self.flags:
            raise self.refuse(f"{quoted('--' + name)} is given twice.")
        if flags[name].instead and self.left:
            raise self.refuse(f"{quoted('--' + name)} stands in place of a name, before all else.")
        if flags[name].value is None:
            if equals:
                raise self.refuse(f"{quoted('--' + name)} takes no value.")
        elif not equals:
            value = next(rest, "")
        if flags[name].value is not None and (not value or value == "--"):
            raise self.refuse(f"{quoted('--' + name)} needs a value.")
        self.flags[name] = value

    def _assign(self, word: str) -> None:
        key, _, value = word.partition("=")
        if not _KEY.fullmatch(key):
            raise self.refuse(
                f"{quoted(key)} is no parameter's name: letters, digits and `_`, no digit first."
            )
        if key in self.parameters:
            raise self.refuse(f"{quoted(key)} is given twice.")
        if len(value.encode()) > VALUE_LIMIT:
            raise self.refuse(f"The value of {quoted(key)} is longer than {VALUE_LIMIT} bytes.")
        self.parameters[key] = value

    def refuse(self, problem: str) -> AskerError:
        """The error for the person who typed the command."""
        return AskerError(f"{problem} Usage: `{self._usage}`{self._hint}")

    def either(self, *keywords: str) -> str | None:
        """The next word if it is one of `keywords`, taken."""
        if self.left and self.left[0] in keywords:
            return self.left.pop(0)
        return None

    def take(self, what: str) -> str:
        """The next word; AskerError if there is none."""
        if not self.left:
            raise self.refuse(f"{quoted(self._verb.name)} needs {what}.")
        return self.left.pop(0)

    def name(self, what: str) -> str:
        """A name of a job, an image or a lock's target, spelt as one could be."""
        word = self.take(what)
        if not _NAME.fullmatch(word):
            raise self.refuse(f"{quoted(word)} is no name: letters, digits, `.`, `_` and `-`, at most 100.")
        return word

    def schedule(self) -> tuple[str, str | None]:
        """The name of a job, or that of a job and of one of its schedules: `nightly/eu`."""
        word = self.take("the name of a job, or `JOB/SCHEDULE`")
        job, slash, schedule = word.partition("/")
        if not _NAME.fullmatch(job) or (slash and not _NAME.fullmatch(schedule)):
            raise self.refuse(f"{quoted(word)} is no name of a job, nor one such as `nightly/eu`.")
        return job, schedule or None

    def number(self) -> int:
        """The number of a run: `#142` or `142`."""
        word = self.take("the number of a run, such as `#142`")
        match = _NUMBER.fullmatch(word)
        if match is None or int(match[1]) == 0:
            raise self.refuse(f"{quoted(word)} is no run's number, such as `#142`.")
        return int(match[1])

    def page(self) -> int:
        """The number of a page, the first where none is named."""
        if not self.left:
            return 1
        word = self.take("a page")
        if not _PAGE.fullmatch(word):
            raise self.refuse(f"{quoted(word)} is no page, such as `2`.")
        return int(word)

    def page_flag(self) -> int | None:
        """The value of `--page`: the number of a page."""
        value = self.flags.get("page")
        if value is not None and not _PAGE.fullmatch(value):
            raise self.refuse(f"{quoted(value)} is no page, such as `2`.")
        return None if value is None else int(value)

    def number_or_name(self) -> tuple[int | None, str | None]:
        """`#142`, `142`, a job's name, or nothing."""
        if not self.left:
            return None, None
        if self.left[0].lstrip("#").isdigit() or self.left[0].startswith("#"):
            return self.number(), None
        return None, self.name("a run or a job")

    def duration(self) -> float:
        """Seconds of a duration that is longer than nothing."""
        word = self.take("a duration, such as `30m`")
        try:
            value = seconds(word)
        except ValueError:
            value = 0.0
        if not 0 < value <= _LONGEST:
            raise self.refuse(
                f"{quoted(word)} is no duration, such as `30m`, `2h` or `1d`, of at most a year."
            )
        return value

    def moment(self, *then: str) -> str:
        """A date, a time or both (ISO 8601), in one word or two, as typed; one of `then` may follow."""
        word = self.take("a time, such as `18:00` or `2030-01-31T18:00`")
        if self.left and self.left[0] not in then:
            word += "T" + self.left.pop(0)
        for form in (datetime, time):
            try:
                form.fromisoformat(word)
            except ValueError:
                continue
            return word
        raise self.refuse(f"{quoted(word)} is no time, such as `18:00` or `2030-01-31T18:00`.")

    def ref(self) -> str | None:
        """The value of `--ref`: a name that git lets a branch, a tag or a commit have."""
        value = self.flags.get("ref")
        if value is None:
            return None
        if not refs.is_name(value):
            raise self.refuse(f"{quoted(value)} is no branch, tag or commit.")
        return value

    def image_tag(self) -> str | None:
        """The value of `--image`: a tag of an image."""
        value = self.flags.get("image")
        if value is not None and not _TAG.fullmatch(value):
            raise self.refuse(f"{quoted(value)} is no tag of an image.")
        return value

    def done(self) -> None:
        """AskerError unless every word was taken."""
        if self.left:
            word = self.left[0]
            hint = " A parameter is written `KEY=VALUE`." if self._verb.assignments else ""
            raise self.refuse(f"{quoted(word)} is one word too many.{hint}")
