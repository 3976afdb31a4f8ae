"""What became of a run or a build, step by step, as far as that is stored. Pure; moments are in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.messages import waited_for, waiting_for
from bot.states import State
from bot.tables import Build, Run
from bot.text.vocabulary import duration, standing, stopper
from webhooks.attempts import RunAttempt
from webhooks.view import Status, status

_NOTED = 1.0
"""Seconds from which on it is said that a build waited for its turn."""


@dataclass(frozen=True, slots=True)
class Step:
    """One of them: since when, and how long it took; `goes_on`: it has not ended yet.

    `kind` names its place in the order (and its CSS class); `note` may have code in back-quotes.
    """

    kind: str  # accepted | built | queued | started | stopping | ended
    title: str
    at: float | None = None
    seconds: float | None = None
    goes_on: bool = False
    note: str | None = None
    status: Status | None = None  # of what has a colour of its own, which `note` or `title` says, too
    build: int | None = None  # whose page says more
    attempts: bool = False  # where the attempts of a run belong


def of_run(run: Run, build: Build | None, attempts: Sequence[RunAttempt], *, alone: bool) -> list[Step]:
    """The steps of a run. `alone`: nothing of what it waited for once that is over."""
    steps = [Step("accepted", "Accepted", run.created_at)]
    begun: float | None = run.created_at
    if run.build_number is not None:
        steps.append(_built(run, build))
        begun = _ready_at(run, build)
    if begun is not None:
        steps.append(_queued(run, begun, alone=alone))
    if run.started_at is not None:
        ended = run.finished_at if run.state == State.FINISHED else None
        started = _span("started", "Started", run.started_at, ended)
        steps.append(replace(started, attempts=len(attempts) > 1))
    if run.stopping_at is not None or (run.stop_by and run.state != State.FINISHED):
        steps.append(_stopping(run, alone=alone))
    return [*steps, *_ended(run)]


def of_build(build: Build) -> list[Step]:
    """The steps of a build."""
    ended = build.finished_at if build.state == State.FINISHED else None
    start = build.started_at if build.started_at is not None else ended
    steps = [
        Step("accepted", "Accepted", build.created_at),
        _span("queued", "Queued", build.created_at, start),
    ]
    if build.started_at is not None:
        steps.append(_span("started", "Started", build.started_at, ended))
    return [*steps, *_ended(build)]


def _built(run: Run, build: Build | None) -> Step:
    number = run.build_number
    if build is None:
        return Step("built", "Built", note="of its build nothing is kept any more", build=number)
    over = build.state == State.FINISHED
    ended = build.finished_at if over else None
    mark = status(build.state, build.result)
    if over and (build.finished_at or 0.0) <= run.created_at:
        return Step("built", "Built", note="before, as the commit was known", status=mark, build=number)
    if build.started_at is None:
        since = max(build.created_at, run.created_at)
        step = _span("built", "Not built" if over else "To be built", since, ended)
        return replace(step, status=mark, build=number)
    waited = build.started_at - max(build.created_at, run.created_at)
    notes = [_word(build)] if over and build.result != "succeeded" else []
    notes += [f"after {duration(waited)} in the queue of builds"] if waited >= _NOTED else []
    step = _span("built", "Built" if over else "Being built", build.started_at, ended)
    return replace(step, note=", ".join(notes) or None, status=mark, build=number)


def _ready_at(run: Run, build: Build | None) -> float | None:
    """Since when nothing but its turn and its start was missing; None while its image is."""
    if build is None:
        return run.created_at if run.started_at is None else None  # how long the build took is not known
    if build.state != State.FINISHED or build.result != "succeeded":
        return None
    return max(run.created_at, build.finished_at or 0.0)


def _queued(run: Run, begun: float, *, alone: bool) -> Step:
    over = run.started_at if run.started_at is not None else run.finished_at
    step = _span("queued", "Queued", begun, over)
    why = waiting_for(run) if over is None else None if alone else waited_for(run)
    return replace(step, note=f"for {why}" if why else None)


def _stopping(run: Run, *, alone: bool) -> Step:
    title = "Asked to stop" if run.stopping_at is None else "Stopping"
    note = stopper(run.stop_by) if run.stop_by and not alone else None
    if run.stopping_at is None:
        return Step("stopping", title, note=note)
    ended = run.finished_at if run.state == State.FINISHED else None
    return replace(_span("stopping", title, run.stopping_at, ended), note=note)


def _ended(row: Run | Build) -> list[Step]:
    if row.state != State.FINISHED:
        return []
    code = "" if row.exit_code is None else f" with exit code `{row.exit_code}`"
    mark = status(row.state, row.result)
    return [Step("ended", "Ended", row.finished_at, note=f"{_word(row)}{code}", status=mark)]


def _word(row: Run | Build) -> str:
    """Its result, as it is said in a line."""
    return standing(row.state, row.result).label


def _span(kind: str, title: str, start: float, end: float | None) -> Step:
    return Step(kind, title, start, None if end is None else max(end - start, 0.0), goes_on=end is None)
