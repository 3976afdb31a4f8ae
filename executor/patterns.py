"""Many patterns looked for in a piece of a stream. Pure."""

import re
from collections.abc import Iterable

_RUN = re.compile(rb"[A-Za-z0-9]{4,}")
_KEY = 4
"""Bytes of a beginning by which patterns are sorted."""


class Patterns:
    """`groups` of patterns; those of one group are alike, as the ways to write one secret are.

    Patterns of a group that have a piece in common are looked for only where that piece is, so many ways to
    write a secret cost little more than one.
    """

    def __init__(self, groups: Iterable[Iterable[bytes]]) -> None:
        self._kernels: list[tuple[bytes, list[bytes]]] = []
        patterns: set[bytes] = set()
        for group in groups:
            members = sorted(set(group), key=lambda pattern: (len(pattern), pattern))
            self._kernels += _kernels(members)
            patterns.update(members)
        self.all = sorted(patterns)
        self._longest = max(map(len, self.all), default=0)
        self._starts: dict[bytes, list[bytes]] = {}
        self._short = {pattern[:size] for pattern in self.all for size in range(1, min(_KEY, len(pattern)))}
        for pattern in self.all:
            self._starts.setdefault(pattern[:_KEY], []).append(pattern)
        first = b"".join(sorted({re.escape(pattern[:1]) for pattern in self.all}))
        self._first = re.compile(b"[" + first + b"]") if first else None

    def occurrences(self, buffer: bytes) -> list[tuple[int, int]]:
        """Where patterns begin and end in `buffer`, sorted; also those that overlap."""
        places = []
        for kernel, patterns in self._kernels:
            if kernel not in buffer:
                continue
            for pattern in patterns:
                at = buffer.find(pattern)
                while at >= 0:
                    places.append((at, at + len(pattern)))
                    at = buffer.find(pattern, at + 1)
        places.sort()
        return places

    def undecided(self, buffer: bytes) -> int:
        """Where the longest end of `buffer` begins that is the beginning of a pattern."""
        size = len(buffer)
        if self._first is None:
            return size
        for candidate in self._first.finditer(buffer, max(0, size - self._longest + 1)):
            at = candidate.start()
            if size - at < _KEY:
                if buffer[at:] in self._short:
                    return at
            elif patterns := self._starts.get(buffer[at : at + _KEY]):
                end = buffer[at:]
                if any(len(pattern) > len(end) and pattern.startswith(end) for pattern in patterns):
                    return at
        return size


def _kernels(patterns: list[bytes]) -> list[tuple[bytes, list[bytes]]]:
    """Sort patterns, the shortest first, by a piece that they contain."""
    kernels: dict[bytes, list[bytes]] = {}
    for pattern in patterns:
        kernel = next((kernel for kernel in kernels if kernel in pattern), None)
        if kernel is None:
            kernel = max(_RUN.findall(pattern), key=len, default=pattern)
        kernels.setdefault(kernel, []).append(pattern)
    return list(kernels.items())
