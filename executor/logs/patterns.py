"""Many patterns looked for in a piece of a stream. Pure."""

import re
from collections.abc import Iterable

from executor.logs.kinds import Kinds, has_run

_RUN = re.compile(rb"[A-Za-z0-9]{4,}")
_KEY = 16
"""Bytes of a beginning by which longer patterns are looked for: the longer, the quicker."""

_LONG = 16
"""Letters and digits that seldom stand in a row in a log, but in most secrets."""


class Patterns:
    """`groups` of patterns; those of one group are alike, as the ways to write one secret are.

    Patterns of a group that have a piece in common, their kernel, are looked for only where that piece is, so
    many ways to write a secret cost little more than one. Long kernels are looked for only where there is
    a run of letters and digits as long as the shortest of them.
    """

    def __init__(self, groups: Iterable[Iterable[bytes]], kinds: Kinds) -> None:
        self._kinds = kinds
        kernels: list[tuple[bytes, list[bytes]]] = []
        patterns: set[bytes] = set()
        for group in groups:
            members = sorted(set(group), key=lambda pattern: (len(pattern), pattern))
            kernels += _kernels(members)
            patterns.update(members)
        self.all = sorted(patterns)
        self.longest = max(map(len, self.all), default=0)
        self.are_words = all(kernel.isalnum() for kernel, _ in kernels)
        """Whether every kernel has letters and digits only, of ASCII."""
        self._long = [each for each in kernels if each[0].isalnum() and len(each[0]) >= _LONG]
        self._others = [each for each in kernels if each not in self._long]
        self._run = min((len(kernel) for kernel, _ in self._long), default=0)
        self._starts: dict[bytes, list[bytes]] = {}
        self._short = {pattern[:size] for pattern in self.all for size in range(1, min(_KEY, len(pattern)))}
        for pattern in self.all:
            if len(pattern) > _KEY:
                self._starts.setdefault(pattern[:_KEY], []).append(pattern)
        self._starts_of_signs = [key for key in self._starts if not key.isalnum()]

    def occurrences(self, buffer: bytes) -> list[tuple[int, int]]:
        """Where patterns begin and end in `buffer`, sorted; also those that overlap."""
        places = []
        for kernel, patterns in self._likely(buffer):
            if kernel not in buffer:
                continue
            for pattern in patterns:
                at = buffer.find(pattern)
                while at >= 0:
                    places.append((at, at + len(pattern)))
                    at = buffer.find(pattern, at + 1)
        places.sort()
        return places

    def has_kernel(self, buffer: bytes) -> bool:
        """Whether a pattern may be in `buffer`, also as one that something stands in between of."""
        return any(kernel in buffer for kernel, _ in self._likely(buffer))

    def undecided(self, buffer: bytes) -> int:
        """Where the longest end of `buffer` begins that is the beginning of a pattern."""
        end = buffer[max(0, len(buffer) - self.longest + 1) :]
        first = len(end)
        for key in self._keys(end):
            at = end.find(key)
            while 0 <= at < first:
                rest = end[at:]
                if any(
                    len(pattern) > len(rest) and pattern.startswith(rest) for pattern in self._starts[key]
                ):
                    first = at
                at = end.find(key, at + 1)
        if first == len(end):
            sizes = range(min(_KEY - 1, len(end)), 0, -1)
            first -= next((size for size in sizes if end[-size:] in self._short), 0)
        return len(buffer) - len(end) + first

    def _keys(self, end: bytes) -> Iterable[bytes]:
        return self._starts if has_run(end, _KEY) else self._starts_of_signs

    def _likely(self, buffer: bytes) -> list[tuple[bytes, list[bytes]]]:
        if self._long and self._kinds.has_run(buffer, self._run):
            return self._long + self._others
        return self._others


def _kernels(patterns: list[bytes]) -> list[tuple[bytes, list[bytes]]]:
    """Sort patterns, the shortest first, by a piece that they contain."""
    kernels: dict[bytes, list[bytes]] = {}
    for pattern in patterns:
        kernel = next((kernel for kernel in kernels if kernel in pattern), None)
        if kernel is None:
            kernel = max(_RUN.findall(pattern), key=len, default=pattern)
        kernels.setdefault(kernel, []).append(pattern)
    return list(kernels.items())
