"""How long the last runs of a job took, drawn: numbers for a picture, a table and a few sentences. Pure.

Places are percent of the width, so that the picture has any width; heights are pixels from the top.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from bot.store.series import EndedRun
from bot.text.vocabulary import RESULTS, duration, moment, result_of
from executor.spec import Result

LENGTHS = (20, 50, 100, 200)
"""So many runs may be drawn."""
HEIGHT = 160.0
"""Pixels that the longest bar has."""

_LEAST = 2.0
"""Pixels of the shortest bar: that of a run that took no time is seen as well."""
_OUTLIER = 3.0
"""A run that takes so many times what 95 of 100 take is cut off, so that the others can be told apart."""
_SIGNED = 50
"""Up to so many bars are wide enough for a sign below each."""
_HALVES = 4
"""Runs that each half needs before it is said how one differs from the other."""
_NOTABLE = 0.1
"""What two halves may differ by and still be called alike."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One run. `kind` is its result and CSS class; `at`, `width` in percent; `top`, `height` in pixels."""

    number: int
    kind: str
    word: str
    sign: str
    seconds: float | None
    created_at: float
    at: float
    width: float
    top: float
    height: float
    cut: bool  # it took longer than the picture is high

    @property
    def middle(self) -> float:
        """Percent of the width."""
        return round(self.at + self.width / 2, 3)

    @property
    def words(self) -> str:
        """What is said to who points at it."""
        took = f"{self.word} after {duration(self.seconds)}" if self.seconds is not None else self.word
        return f"#{self.number}: {took}, {moment(self.created_at)}"


@dataclass(frozen=True, slots=True)
class Line:
    """A length of time across all bars."""

    kind: str
    words: str
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars are oldest first; `counts` are word, kind, sign and how many, of the results that there are."""

    bars: Sequence[Bar]
    lines: Sequence[Line]
    scale: Sequence[Line]
    counts: Sequence[tuple[str, str, str, int]]
    sentences: Sequence[str]
    last: int
    height: float = HEIGHT
    lengths: Sequence[int] = LENGTHS

    @property
    def signed(self) -> bool:
        """Whether there is room for a sign below each bar."""
        return len(self.bars) <= _SIGNED


def length(digits: str | None) -> int:
    """How many runs `?last=` asks for; the fewest where it asks for what there is not."""
    return next((each for each in LENGTHS if str(each) == digits), LENGTHS[0])


def chart(runs: Sequence[EndedRun], last: int) -> Chart | None:
    """What is drawn of these runs (newest first, at most `last`); None where there are none."""
    if not runs:
        return None
    oldest_first = list(reversed(runs))
    usual = sorted(_seconds(oldest_first, succeeded=True))
    middle, most = (median(usual), percentile(usual, 0.95)) if usual else (None, None)
    longest = max(_seconds(oldest_first), default=0.0)
    top = longest if most is None or longest <= _OUTLIER * most else 2 * most
    top = top or 1.0
    lines = []
    if middle is not None and most is not None:
        lines.append(Line("p95", f"95th percentile {duration(most)}", _y(most, top)))
        lines.append(Line("median", f"median {duration(middle)}", _y(middle, top)))
    return Chart(
        bars=[_bar(run, at, len(oldest_first), top) for at, run in enumerate(oldest_first)],
        lines=lines,
        scale=[Line("scale", duration(top * part), _y(top * part, top)) for part in (0.0, 0.5, 1.0)],
        counts=_counts(oldest_first),
        sentences=[_rate(oldest_first), *_usual(middle, most), *_trends(oldest_first)],
        last=last,
    )


def percentile(ordered: Sequence[float], part: float) -> float:
    """The smallest of these, in ascending order, that `part` of them do not exceed (nearest rank)."""
    return ordered[max(ceil(part * len(ordered)), 1) - 1]


def _seconds(runs: Sequence[EndedRun], *, succeeded: bool = False) -> list[float]:
    """How long each of those took that began; `succeeded`: only what succeeded tells how long it takes."""
    among = [run for run in runs if not succeeded or run.result == Result.SUCCEEDED]
    return [took for run in among if (took := run.seconds) is not None]


def _y(seconds: float, top: float) -> float:
    return round(HEIGHT - HEIGHT * min(seconds / top, 1.0), 1)


def _bar(run: EndedRun, at: int, count: int, top: float) -> Bar:
    result, share = result_of(run.result), 100 / max(count, LENGTHS[0])
    took = run.seconds
    height = 0.0 if took is None else max(round(HEIGHT * min(took / top, 1.0), 1), _LEAST)
    return Bar(
        number=run.number,
        kind=result.value,
        word=RESULTS[result].label,
        sign=RESULTS[result].sign,
        seconds=took,
        created_at=run.created_at,
        at=round(share * at + share * 0.1, 3),
        width=round(share * 0.8, 3),
        top=round(HEIGHT - height, 1),
        height=height,
        cut=took is not None and took > top,
    )


def _counts(runs: Sequence[EndedRun]) -> list[tuple[str, str, str, int]]:
    found = Counter(result_of(run.result) for run in runs)
    return [
        (RESULTS[result].label, result.value, RESULTS[result].sign, found[result])
        for result in Result
        if found[result]
    ]


def _share(runs: Sequence[EndedRun]) -> float:
    return sum(run.result == Result.SUCCEEDED for run in runs) / len(runs)


def _rate(runs: Sequence[EndedRun]) -> str:
    """`18 of the last 20 runs succeeded (90%).`"""
    good = sum(run.result == Result.SUCCEEDED for run in runs)
    if len(runs) == 1:
        return f"The only run so far {RESULTS[result_of(runs[0].result)].verb}."
    return f"{good} of the last {len(runs)} runs succeeded ({100 * good // len(runs)}%)."


def _usual(middle: float | None, most: float | None) -> list[str]:
    if middle is None or most is None:
        return []
    if duration(middle) == duration(most):
        return [f"One that does takes {duration(middle)}."]
    return [
        f"Of those that did, half took {duration(middle)} or less, and 95 of 100 {duration(most)} or less."
    ]


def _trends(runs: Sequence[EndedRun]) -> list[str]:
    """How the newer half differs from the older one, in how many succeed and in how long they take."""
    older, newer = runs[: len(runs) // 2], runs[len(runs) // 2 :]
    if len(older) < _HALVES:
        return []
    return [_trend_of_results(older, newer), *_trend_of_durations(older, newer)]


def _trend_of_results(older: Sequence[EndedRun], newer: Sequence[EndedRun]) -> str:
    before, after = _share(older), _share(newer)
    if abs(after - before) < _NOTABLE:
        return "The newer half succeeds about as often as the older."
    words = "more" if after > before else "less"
    return f"The newer half succeeds {words} often: {after:.0%} after {before:.0%}."


def _trend_of_durations(older: Sequence[EndedRun], newer: Sequence[EndedRun]) -> list[str]:
    before, after = _seconds(older, succeeded=True), _seconds(newer, succeeded=True)
    if len(before) < _HALVES or len(after) < _HALVES:
        return []
    was, is_now = median(before), median(after)
    if abs(is_now - was) <= _NOTABLE * max(was, is_now):
        return ["It takes about as long as before."]
    words = "longer" if is_now > was else "less long"
    return [f"It takes {words} than before: {duration(is_now)} after {duration(was)}."]
