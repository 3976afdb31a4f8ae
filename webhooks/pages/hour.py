"""The next hour on a line: where each start of a schedule stands, in units of the drawing. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.handlers.agenda import HOUR, Coming

WIDTH = 1000.0
"""Units from now to the end of the hour."""

_NEAR = 14.0
"""Units within which marks would hide each other: they are drawn as one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What starts at about the same time; `x` is where the first of it stands."""

    x: float
    count: int

    @property
    def height(self) -> float:
        """Taller where more starts, up to a bound."""
        return 10.0 + 4.0 * min(self.count - 1, 6)


@dataclass(frozen=True, slots=True)
class Start:
    """When a job starts first within the hour, and how often besides."""

    at: float
    job: str
    more: int


def starts(coming: Sequence[Coming]) -> list[Start]:
    """Each job once, those that start first before the others."""
    often = Counter(each.job for each in coming)
    first = {each.job: each.at for each in reversed(coming)}
    return sorted((Start(at, job, often[job] - 1) for job, at in first.items()), key=lambda each: each.at)


def line(coming: Sequence[Coming], now: float) -> list[Mark]:
    """The marks, in their order."""
    marks: list[Mark] = []
    for each in coming:
        x = round(max(0.0, min(1.0, (each.at - now) / HOUR)) * WIDTH, 1)
        if marks and x - marks[-1].x < _NEAR:
            marks[-1] = Mark(marks[-1].x, marks[-1].count + 1)
        else:
            marks.append(Mark(x, 1))
    return marks
