"""Which line of a log looks like an error, by the words that programs say so with: a guess."""

import re

from webhooks.log_search import Words

_WORDS = (b"error", b"fatal", b"panic", b"traceback", b"exception", b"failed", b"failure")
_ERROR = re.compile(
    r"(?<![\w-])(?:(?i:error|fatal|panic|traceback \(most recent|exception|failed|failure)"
    r"|\w*(?:Error|Exception))(?![\w-])"
)
_NONE = re.compile(r"(?i)(?:\b0|\bno|\bwithout|\bzero|\bif|\bnot) +(?:\w+ +)?$")
_COUNTED = re.compile(r"(?i)\"?(?: count)?[=:] *(?:0|none|null|nil|false)\b")


def error_in(line: str) -> tuple[int, int] | None:
    """Where in `line` the word is that makes it look like an error; None where there is none."""
    for match in _ERROR.finditer(line):
        before = line[max(0, match.start() - 40) : match.start()]
        if not _NONE.search(before) and not _COUNTED.match(line, match.end()):
            return match.span()
    return None


def _may(piece: bytes) -> bool:
    small = piece.lower()
    return any(word in small for word in _WORDS)


LOOKS_LIKE_ERROR = Words(_may, error_in, unparted=True)
"""What finds such lines in a log."""
