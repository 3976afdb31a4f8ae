"""The last results of a job as a strip of marks: what did not succeed stands out by its height. Pure."""

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from bot.store.series import Mark
from bot.text.vocabulary import RESULTS, result_of
from executor.spec import Result

MARKS = 20
"""Results in a strip."""

_STEP, _WIDTH, _HEIGHT = 7, 5, 20
_SHAPES = {
    Result.SUCCEEDED: "M{x} 12h5v8h-5z",
    Result.FAILED: "M{x} 0h5v20h-5z",
    Result.TIMED_OUT: "M{x} 0h5v6h-5zm0 8h5v12h-5z",
    Result.CANCELLED: "M{x} 16h5v4h-5z",
    Result.ERROR: "M{x} 0h5v13h-5zm0 15h5v5h-5z",
}
"""Low is good; cancelled is lower still, and what timed out or could not be carried out is broken in two."""


def strip(marks: Sequence[Mark]) -> Markup:
    """An SVG of these results, oldest first, one path for each kind; what it shows is said as its name."""
    first, places = MARKS - len(marks), dict[Result, list[int]]()
    for at, mark in enumerate(marks[-MARKS:], start=max(first, 0)):
        places.setdefault(result_of(mark.result), []).append(at * _STEP)
    paths = Markup("").join(
        Markup('<path class="{}" d="{}"/>').format(
            result.value, "".join(_SHAPES[result].format(x=x) for x in places[result])
        )
        for result in Result
        if result in places
    )
    return Markup(
        '<svg class="strip" role="img" aria-label="{0}" width="{1}" height="{2}"><title>{0}</title>{3}</svg>'
    ).format(words(marks), MARKS * _STEP - _STEP + _WIDTH, _HEIGHT, paths)


def words(marks: Sequence[Mark]) -> str:
    """`Last 20 runs: 18 succeeded, 2 failed`."""
    if not marks:
        return "No run is over yet"
    found = Counter(result_of(mark.result) for mark in marks)
    counts = ", ".join(f"{found[result]} {RESULTS[result].label}" for result in Result if found[result])
    return f"Last run: {counts[2:]}" if len(marks) == 1 else f"Last {len(marks)} runs: {counts}"
