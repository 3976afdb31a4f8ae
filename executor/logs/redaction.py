"""Masks secrets in a stream of bytes before anything of it is kept or sent.

Pure. Every occurrence of every form of a secret is masked, also where occurrences overlap; what
overlaps or touches is one mask. It is looked for four times: as the bytes are; without what a reader does
not see (colours, control characters, zero widths); without what a backspace takes back; and without the line
ends of what was wrapped. So whoever
shows the log may take these out: no secret comes together by it. The result depends on the bytes alone, never
on how they were cut. Imports next to nothing, because every supervisor of the process engine carries it.
"""

from collections.abc import Iterable
from copy import copy

from executor.logs.encodings import forms
from executor.logs.kinds import Kinds
from executor.logs.patterns import Patterns
from executor.logs.seams import Seams, folded, overstruck, unseen

MASK = b"***"


class Redactor:
    """Masks `secrets` in what is fed to it piece by piece, holding back only what could become one."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        groups = [forms(secret) for secret in secrets]
        self._kinds = Kinds()
        patterns = Patterns(groups, self._kinds)
        self._stages: list[_Plain | Seams] = []
        if patterns.all:
            self._stages = [
                _Plain(patterns),
                *(look(groups, MASK, self._kinds) for look in (unseen, overstruck, folded)),
            ]

    @property
    def is_settled(self) -> bool:
        """Whether what comes is masked as if nothing had come before."""
        return all(stage.is_settled for stage in self._stages)

    def feed(self, data: bytes) -> bytes:
        """Give all of the stream so far that is certain, masked."""
        for stage in self._stages:
            data = stage.feed(data)
        self._kinds.forget()
        return data

    def sentence(self, text: str) -> str:
        """Mask a text that is no part of a stream; for one who feeds nothing else."""
        data = text.encode(errors="replace")
        for stage in map(copy, self._stages):
            data = stage.feed(data) + stage.flush()
        return data.decode(errors="replace")

    def flush(self) -> bytes:
        """Give what was held back: the stream has ended, it became no secret."""
        data = b""
        for stage in self._stages:
            data = stage.feed(data) + stage.flush()
        return data


class _Plain:
    """The first look: at the bytes as they are."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._rest = b""
        # How far into `_rest` the mask written last reaches; 0: just up to it; -1: it ended before.
        self._covered = -1

    @property
    def is_settled(self) -> bool:
        return not self._rest and self._covered < 0

    def feed(self, data: bytes) -> bytes:
        buffer = self._rest + data
        return self._emit(buffer, self._patterns.undecided(buffer))

    def flush(self) -> bytes:
        return self._emit(self._rest, len(self._rest))

    def _emit(self, buffer: bytes, keep: int) -> bytes:
        masked_to = self._covered
        written_to = max(masked_to, 0)
        out: list[bytes] = []
        for start, end in self._patterns.occurrences(buffer):
            if start >= keep:
                break
            if start > masked_to:
                out += (buffer[written_to:start], MASK)
            masked_to = written_to = max(masked_to, end)
        out.append(buffer[written_to:keep])
        self._rest = buffer[keep:]
        self._covered = masked_to - keep if masked_to >= keep else -1
        return b"".join(out)


def masked(text: str, secrets: Iterable[bytes]) -> str:
    """Mask a sentence that is for other places than the log."""
    return Redactor(secrets).sentence(text)
