"""The log of a job on its way to stdout: as it was written in a pipe, without harm on a terminal."""

import codecs
import re
import sys
from collections.abc import Callable
from typing import Any

from terminal.printing import document
from terminal.streams import coloured

_CONTROL = re.compile(
    r"\x1b\[(?P<colour>[0-9;:]*m)"  # select graphic rendition: ECMA-48, 8.3.117
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]{0,2048}(?:\x07|\x1b\\)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]"
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
_OPEN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\n]{0,2048}\x1b?|[ -/]*)?\Z")
_LONGEST = 4096
"""Characters of a sequence that is waited for; what is longer is text."""

Emit = Callable[[bytes, int], None]
"""Takes bytes of the log of an attempt, as they come."""


class Screen:
    """Lets text and, if wanted, colours through; moves of the cursor, titles, the clipboard are dropped."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._within = False  # a line that has not ended
        self._coloured = False

    def shown(self, chunk: bytes, *, end: bool = False) -> str:
        """What may be shown of what came so far; what is not complete is kept for the next chunk."""
        text = self._rest + self._decoder.decode(chunk, end)
        self._rest = ""
        unfinished = None if end else _OPEN.search(text)
        if unfinished is not None and len(text) - unfinished.start() <= _LONGEST:
            text, self._rest = text[: unfinished.start()], text[unfinished.start() :]
        bare = _CONTROL.sub("", text)
        self._within = bare[-1] != "\n" if bare else self._within
        if not self._colours:
            return bare
        coloured = _CONTROL.sub(lambda match: match[0] if match["colour"] is not None else "", text)
        self._coloured = self._coloured or "\x1b" in coloured
        return coloured

    def ended(self) -> str:
        """What is left at the end of a log: its colours end with it, and what follows begins a line."""
        left = self.shown(b"", end=True)
        colours, within = self._coloured, self._within
        self._decoder.reset()
        self._coloured, self._within = False, False
        return left + ("\x1b[0m" if colours else "") + ("\n" if within else "")


def to_terminal() -> Emit:
    """To a terminal."""
    screen = Screen(colours=coloured())
    last = {"attempt": 0}

    def emit(chunk: bytes, attempt: int) -> None:
        text = screen.ended() if not chunk or attempt != last["attempt"] else ""
        last["attempt"] = attempt
        sys.stdout.write(text + screen.shown(chunk))
        sys.stdout.flush()

    return emit


def to_pipe(chunk: bytes, attempt: int) -> None:
    """To a file or a program: byte for byte."""
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def to_documents(number: int) -> Emit:
    """As JSON, a document for each line that is complete."""
    state: dict[str, Any] = {"rest": b"", "attempt": 0}

    def emit(chunk: bytes, attempt: int) -> None:
        if attempt != state["attempt"] and state["rest"]:
            _line(number, state["attempt"], state["rest"])
            state["rest"] = b""
        *lines, state["rest"] = (state["rest"] + chunk).split(b"\n")
        state["attempt"] = attempt
        for line in lines:
            _line(number, attempt, line)
        if not chunk and state["rest"]:  # the end
            _line(number, attempt, state["rest"])
            state["rest"] = b""

    return emit


def _line(number: int, attempt: int, line: bytes) -> None:
    document({"run": number, "attempt": attempt, "line": line.decode("utf-8", "replace")})


def output(number: int, as_json: bool) -> Emit:
    """Where the log of run `number` goes; an empty chunk ends it."""
    if as_json:
        return to_documents(number)
    return to_terminal() if sys.stdout.isatty() else to_pipe
