"""What ends a command: a sentence for whoever typed it, and the exit code."""

import sys
import unicodedata
from collections.abc import Sequence

from terminal.streams import abandoned

REFUSED = 1
USAGE = 2
TIMED_OUT = 124
"""As of timeout(1)."""
INTERRUPTED = 130
"""128 and SIGINT, as of shells."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that could move the cursor, or turn the order of what stands beside them."""


class Failure(Exception):
    """Told on stderr as it is written, without a traceback; `code` is the exit code."""

    def __init__(self, text: str, code: int = REFUSED) -> None:
        super().__init__(text)
        self.code = code


class Usage(Failure):
    """It was typed wrong."""

    def __init__(self, text: str) -> None:
        super().__init__(text, USAGE)


class Unreachable(Failure):
    """Errand does not answer, or the connection broke."""


class Problem(Failure):
    """Errand refused, and said why; `status` is that of HTTP, `kind` the problem's type ("": none came).

    `mistakes`: the places in what was sent at which something is wrong, and what. The text has them as well.
    """

    def __init__(
        self,
        status: int,
        text: str,
        mistakes: Sequence[tuple[tuple[str, ...], str]] = (),
        kind: str = "",
    ) -> None:
        super().__init__(text)
        self.status = status
        self.kind = kind
        self.mistakes = tuple(mistakes)


def plain(text: object) -> str:
    """`text` in one line, without what a terminal would obey."""
    return "".join("�" if unicodedata.category(each) in _UNSEEN else each for each in str(text))


def say(text: str) -> None:
    """One or more lines on stderr, where everything is told that is no answer; nobody may read it."""
    try:
        print("\n".join(plain(line) for line in text.split("\n")), file=sys.stderr, flush=True)
    except OSError:
        abandoned(sys.stderr)
