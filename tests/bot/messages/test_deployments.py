"""How several jobs of one deployment make one state."""

from typing import Any

import pytest

from bot.messages import review, standing, verdict_check, verdict_status
from bot.states import State
from bot.tables import OccurrenceSeen, Run


def _row(**decisions: Any) -> OccurrenceSeen:
    return OccurrenceSeen(
        repository="1",
        key="k",
        event="deployment",
        subject="s",
        decisions=decisions,
        delivery_id=1,
        received_at=1.0,
    )


def _run(number: int, state: State, result: str | None = None, stop_by: str | None = None) -> Run:
    return Run(
        number=number,
        key=f"k{number}",
        name=f"n{number}",
        job=f"j{number}",
        cause="deployment",
        actor="github:octocat",
        created_at=1.0,
        state=state,
        result=result,
        stop_by=stop_by,
    )


DONE = State.FINISHED


@pytest.mark.parametrize(
    ("runs", "state"),
    [
        ([], "queued"),
        ([_run(1, State.WAITING), _run(2, State.BUILDING)], "queued"),
        ([_run(1, State.WAITING), _run(2, State.RUNNING)], "in_progress"),
        ([_run(1, State.WAITING), _run(2, DONE, "succeeded")], "in_progress"),
        ([_run(1, DONE, "succeeded"), _run(2, DONE, "succeeded")], "success"),
        ([_run(1, State.RUNNING), _run(2, DONE, "failed")], "failure"),
        ([_run(1, DONE, "succeeded"), _run(2, DONE, "timed_out")], "failure"),
        ([_run(1, DONE, "error"), _run(2, State.RUNNING)], "error"),
        ([_run(1, DONE, "cancelled", "github:octocat")], "error"),
        ([_run(1, DONE, "cancelled", "run:9")], "inactive"),
        ([_run(1, DONE, "cancelled", "run:9"), _run(2, DONE, "failed")], "failure"),
        ([_run(1, DONE, "of a later version")], "error"),
    ],
)
def test_state_is_that_of_all_jobs_together(runs: list[Run], state: str) -> None:
    assert standing(_row(), runs).state == state


def test_job_that_could_not_start_fails_the_deployment_whatever_the_others_do() -> None:
    stands = standing(_row(one={}, two={"kind": "answer", "text": "No."}), [_run(1, DONE, "succeeded")])
    assert (stands.state, stands.refusal) == ("failure", "No.")


def test_status_of_a_job_that_does_not_run_is_a_success_where_a_check_is_neutral() -> None:
    assert verdict_check("publish", "neutral", "Skipped: so.", nonce="n1", now=1.0).conclusion == "neutral"
    assert verdict_status("publish", "neutral", "Skipped: so.").state == "success"
    assert verdict_status("publish", "failure", "Not started: 🚀" * 40).body() == {
        "state": "failure",
        "context": "errand / publish",
        "description": ("Not started: \ufffd" * 40)[:139] + "…",
    }


def test_answer_to_a_protection_rule_is_within_what_github_takes() -> None:
    refused = standing(_row(one={"kind": "answer", "text": "x" * 5000}), [])
    fields = review(refused, "production", None, None)
    assert (fields["state"], len(fields["comment"])) == ("rejected", 1024)
    assert "state" not in review(standing(_row(), [_run(1, State.RUNNING)]), "production", None, None)
