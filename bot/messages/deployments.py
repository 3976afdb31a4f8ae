"""How a deployment stands, by the jobs that GitHub waits for. Pure.

https://docs.github.com/rest/deployments/statuses#create-a-deployment-status
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.messages.statuses import DESCRIPTION_CHARACTERS, StatusFields, basic
from bot.messages.text import shortened
from bot.messages.verdicts import reason
from bot.states import State
from bot.tables import OccurrenceSeen, Run
from bot.text.vocabulary import result_of
from executor.spec import Result

_BEGUN = frozenset({State.RUNNING, State.STOPPING})
_REPLACED = "run:"
"""How `stop_by` begins where another run took the place of one."""
_ENDS = {
    Result.SUCCEEDED: "success",
    Result.FAILED: "failure",
    Result.CANCELLED: "error",
    Result.TIMED_OUT: "failure",
    Result.ERROR: "error",
}
_WORST = ("failure", "error", "inactive")
"""States of runs of which the first that any has is the deployment's."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a deployment, with the run that decides it or why there is none (Markdown)."""

    state: str  # queued | in_progress | success | failure | error | inactive
    run: Run | None = None
    refusal: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.state not in ("queued", "in_progress")


def standing(row: OccurrenceSeen, runs: Sequence[Run]) -> Standing:
    """How it stands by the newest run of each of its jobs: success only where all of them succeeded.

    Of what failed the others' success makes nothing good, so it is said at once.
    """
    refused = next(iter(sorted(filter(None, row.decisions.values()), key=_superseded)), None)
    if refused is not None:
        state = "inactive" if refused["kind"] == "superseded" else "failure"
        return Standing(state, refusal=reason(refused))
    ends = {run.identity: _end(run) for run in runs}
    for state in _WORST:
        for run in runs:
            if ends[run.identity] == state:
                return Standing(state, run)
    open_runs = [run for run in runs if ends[run.identity] is None]
    if runs and not open_runs:
        return Standing("success", runs[-1])
    begun = next((run for run in open_runs if run.state in _BEGUN), None)
    if begun is not None or len(open_runs) < len(runs):
        return Standing("in_progress", begun or open_runs[0])
    return Standing("queued", open_runs[0] if open_runs else None)


def _superseded(why: Mapping[str, Any]) -> bool:
    return bool(why["kind"] == "superseded")


def _end(run: Run) -> str | None:
    if run.state != State.FINISHED:
        return None
    result = result_of(run.result)
    if result is Result.CANCELLED and (run.stop_by or "").startswith(_REPLACED):
        return "inactive"
    return _ENDS[result]


def deployment_fields(
    stands: Standing, status: StatusFields | None, environment_url: str | None
) -> Mapping[str, Any]:
    """The body of a deployment status; `status` is the commit status of the run that decides."""
    if status is None:
        description = f"not started: {stands.refusal}" if stands.refusal else "waiting"
    else:
        description = f"{status.context.removeprefix('errand / ')} {status.description}"
    fields = {
        "state": stands.state,
        "description": shortened(basic(description), DESCRIPTION_CHARACTERS),
        "log_url": None if status is None else status.target_url,
        "environment_url": environment_url if stands.state == "success" else None,
    }
    return {name: value for name, value in fields.items() if value}
