"""The `.env` beside `app.yaml`: variables for the file, where the environment does not have them itself.

They are for `app.yaml` alone. Programs that Errand starts do not see them: they are not put into its own
environment.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from bot.config.document import SIZE_LIMIT, TextPosition
from bot.config.findings import Finding, Invalid

if TYPE_CHECKING:
    from dotenv.parser import Binding

NAME = ".env"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_EXPECTED = "expected NAME=VALUE; a name has letters, digits and _"
_UNCLOSED = "the quote that opens here is not closed"
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""Never waits for the writer of a pipe."""
_OTHERS = stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
"""The group may read it: that is how a service gets what belongs to root."""


@dataclass(frozen=True)
class EnvFile:
    """What the file says. `mistakes` keep Errand from starting, `remarks` do not."""

    values: Mapping[str, str] = field(default_factory=dict)
    mistakes: tuple[Finding, ...] = ()
    remarks: tuple[Finding, ...] = ()

    def under(self, environ: Mapping[str, str]) -> Mapping[str, str]:
        """The variables of `environ`, and those of the file that it does not have."""
        return {**self.values, **environ}


def beside(config: FilePath) -> EnvFile:
    """The `.env` in the directory of `config`; an empty one where there is none. Blocking."""
    path = config.with_name(NAME)
    try:
        descriptor = os.open(path, _READING)
    except FileNotFoundError:
        return EnvFile()
    except OSError as problem:
        return _unreadable(path, problem.strerror or str(problem))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):  # what some call their virtual environment
            return EnvFile(remarks=(Finding(str(path), "not read: it is a directory", level="warning"),))
        if not stat.S_ISREG(mode):
            return _unreadable(path, "it is no regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(SIZE_LIMIT + 1)
    except OSError as problem:
        return _unreadable(path, problem.strerror or str(problem))
    finally:
        os.close(descriptor)
    if len(content) > SIZE_LIMIT:
        return _unreadable(path, f"it is larger than {SIZE_LIMIT // 1024} KiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        return EnvFile(mistakes=(Finding(str(path), "the file is not UTF-8 text", TextPosition(line)),))
    return _read(str(path), text, _of_mode(str(path), mode))


def put(config: FilePath, values: Mapping[str, str]) -> FilePath:
    """Write variables into the `.env` beside `config`, for its owner alone; gives its path. Blocking.

    Lines of other variables stay as they are. It is another file from one moment to the next, on disk before
    this returns. Raises `Invalid` where the file cannot be read, and OSError.
    """
    found = beside(config)
    if found.mistakes:
        raise Invalid(list(found.mistakes))
    path = FilePath(os.path.realpath(config.with_name(NAME)))
    text = "".join(_others(path.read_text("utf-8-sig"), values)) if path.exists() else ""
    lines = "".join(f"{name}={_quoted(value)}\n" for name, value in values.items())
    made = path.with_name(f"{path.name}.{os.getpid()}")
    made.unlink(missing_ok=True)
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + ("\n" if text and not text.endswith("\n") else "") + lines)
            file.flush()
            os.fsync(file.fileno())
        made.rename(path)
    except OSError:
        made.unlink(missing_ok=True)
        raise
    return path


def _others(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """The text of every line but those of the variables in `values`."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(StringIO(text)):
        if binding.key not in values:
            yield binding.original.string


def _quoted(value: str) -> str:
    """In double quotes, in one line; the parser reads `\\n` and `\\"` within them as Python does."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _unreadable(path: FilePath, why: str) -> EnvFile:
    return EnvFile(mistakes=(Finding(str(path), f"cannot be read: {why}"),))


def _of_mode(file: str, mode: int) -> Iterator[Finding]:
    """Remark on a file of secrets that other users of the machine may read, or write."""
    if stat.S_IMODE(mode) & _OTHERS:
        may = "change" if mode & (stat.S_IWGRP | stat.S_IWOTH) else "read"
        what = f"others may {may} this file, which holds secrets; `chmod g-w,o= {file}` ends that"
        yield Finding(file, what, level="warning")


def _read(file: str, text: str, remarks: Iterable[Finding]) -> EnvFile:
    from dotenv.parser import parse_stream  # loaded only where there is such a file

    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    mistakes = []
    for binding in parse_stream(StringIO(text)):
        if not binding.error and binding.key is None:
            continue  # a comment, or nothing
        place = _place(binding)
        what = _mistake(binding, lines)
        if what is not None:
            mistakes.append(Finding(file, what, _opening(binding, place) or place))
            continue
        name = binding.key or ""
        lines[name] = place.line
        values[name] = binding.value or ""
    return EnvFile(values, tuple(mistakes), tuple(remarks))


def _place(binding: "Binding") -> TextPosition:
    """Where it begins, which the parser counts from the empty lines before it."""
    before = binding.original.string[: len(binding.original.string) - len(binding.original.string.lstrip())]
    line = binding.original.line + len(re.findall(r"\r\n|\n|\r", before))
    return TextPosition(line, len(re.split(r"[\r\n]", before)[-1]) + 1)


def _opening(binding: "Binding", begin: TextPosition) -> TextPosition | None:
    """Where the quote stands that nothing closes; None where that is not what is wrong."""
    before, sign, value = binding.original.string.lstrip().partition("=")
    text = value.strip()
    if not binding.error or not sign or text[:1] not in ("'", '"') or text.count(text[0]) > 1:
        return None
    return TextPosition(begin.line, begin.column + len(before) + 1 + value.index(text[0]))


def _mistake(binding: "Binding", lines: Mapping[str, int]) -> str | None:
    """What is wrong with it; never what it says, which may be a secret."""
    if binding.error and _opening(binding, TextPosition()) is not None:
        return _UNCLOSED
    name = binding.key or ""
    if binding.error or binding.value is None or not _VARIABLE.fullmatch(name):
        return _EXPECTED
    if "\0" in binding.value:
        return f"{name} holds a NUL, which no variable can"
    return f"{name} is given twice; first in line {lines[name]}" if name in lines else None
