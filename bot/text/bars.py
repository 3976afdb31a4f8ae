"""How far something is, drawn in one line of text."""

from collections.abc import Mapping

_WIDEST = 10
"""Cells of a bar at most; what has fewer steps has as many cells."""


def steps(stored: Mapping[str, int] | None) -> tuple[int, int] | None:
    """`done` and `total` as they are stored; None for what is none."""
    match stored:
        case {"done": int(done), "total": int(total)} if 0 <= done <= total and total:
            return done, total
    return None


def bar(done: int, total: int) -> str:
    """`▰▰▰▱▱ 3/5`; full only at the end."""
    cells = min(total, _WIDEST)
    full = done * cells // total
    return f"{'▰' * full}{'▱' * (cells - full)} {done}/{total}"


def cells(part: float, whole: float) -> str:
    """`▰▰▰▱▱▱▱▱▱▱`: how much of `whole`, in as many cells as a bar has; what is little is one."""
    full = min(max(round(part * _WIDEST / whole), 1), _WIDEST)
    return f"{'▰' * full}{'▱' * (_WIDEST - full)}"
