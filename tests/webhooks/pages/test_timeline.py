"""The steps of a run and of a build, made of what is stored and nothing else."""

from typing import Any

from bot.states import State, Wait
from bot.tables import Build, Run
from webhooks.attempts import run_attempts
from webhooks.pages.timeline import Step, of_build, of_run

BEGAN = 1000.0


def a_run(**values: Any) -> Run:
    known = {"number": 7, "job": "check", "cause": "comment", "actor": "github:octocat", "created_at": BEGAN}
    return Run(key="k", name="n", **{**known, **values})


def a_build(**values: Any) -> Build:
    known = {"number": 3, "image": "shop", "repository": "acme/shop", "commit": "c", "created_at": BEGAN}
    return Build(key="k", name="n", cause="push", actor="github:octocat", **{**known, **values})


def steps_of(run: Run, build: Build | None = None, *, alone: bool = False) -> dict[str, Step]:
    return {step.kind: step for step in of_run(run, build, run_attempts(run, []), alone=alone)}


def test_run_that_is_over_has_all_its_steps_with_their_lengths() -> None:
    build = a_build(state="finished", result="succeeded", started_at=BEGAN + 3, finished_at=BEGAN + 60)
    waited = {"lock": "prod", "run": 5, "job": "deploy", "actor": "github:kim", "place": 2}
    run = a_run(
        build_number=3, state="finished", result="failed", exit_code=3, waiting_on=waited,
        started_at=BEGAN + 70, finished_at=BEGAN + 100,
    )  # fmt: skip
    steps = steps_of(run, build)
    assert list(steps) == ["accepted", "built", "queued", "started", "ended"]
    assert [(step.at, step.seconds) for step in steps.values()] == [
        (BEGAN, None), (BEGAN + 3, 57.0), (BEGAN + 60, 10.0), (BEGAN + 70, 30.0), (BEGAN + 100, None),
    ]  # fmt: skip
    assert (steps["built"].note, steps["built"].build) == ("after 3s in the queue of builds", 3)
    assert steps["queued"].note == "for the lock prod, held by deploy #5, asked by kim"
    assert steps_of(run, build, alone=True)["queued"].note is None
    assert steps["ended"].note == "failed with exit code `3`"


def test_run_that_waits_says_for_what() -> None:
    run = a_run(state="waiting", waiting_for=Wait.AHEAD, waiting_on={"run": 5, "stopping": False})
    queued = steps_of(run)["queued"]
    assert (queued.at, queued.goes_on, queued.note) == (BEGAN, True, "for #5 to end")
    run.waiting_for, run.state, run.started_at = None, "running", BEGAN + 5
    assert steps_of(run)["queued"].note == "for #5 to end"
    assert steps_of(run)["started"].goes_on


def test_what_a_lock_of_a_person_held_back_is_known_afterwards() -> None:
    on = {"lock": "prod", "actor": "github:kim", "reason": "release", "until": None}
    run = a_run(state="finished", result="cancelled", finished_at=BEGAN + 9, waiting_on=on)
    queued = steps_of(run)["queued"]
    assert (queued.seconds, queued.note) == (9.0, "for the lock prod, closed by kim (release)")


def test_run_whose_image_is_not_there_is_not_queued_yet() -> None:
    run = a_run(state="building", build_number=3)
    steps = steps_of(run, a_build(state="building", started_at=BEGAN + 2))
    assert list(steps) == ["accepted", "built"]
    assert (steps["built"].title, steps["built"].goes_on) == ("Being built", True)
    waiting = steps_of(run, a_build(state="waiting"))["built"]
    assert (waiting.title, waiting.at, waiting.goes_on) == ("To be built", BEGAN, True)
    failed = a_build(state="finished", result="failed", started_at=BEGAN + 2, finished_at=BEGAN + 9)
    run.state, run.result, run.finished_at = State.FINISHED, "error", BEGAN + 9
    steps = steps_of(run, failed)
    assert list(steps) == ["accepted", "built", "ended"]
    assert steps["built"].note == "failed, after 2s in the queue of builds"


def test_image_that_was_there_is_no_wait() -> None:
    build = a_build(state="finished", result="succeeded", created_at=1.0, started_at=2.0, finished_at=9.0)
    steps = steps_of(a_run(build_number=3, state="running", started_at=BEGAN + 1), build)
    assert (steps["built"].at, steps["built"].seconds) == (None, None)
    assert (steps["queued"].at, steps["queued"].seconds) == (BEGAN, 1.0)


def test_nothing_is_made_up_of_a_build_that_is_gone() -> None:
    steps = steps_of(a_run(build_number=3, state="running", started_at=BEGAN + 90), None)
    assert list(steps) == ["accepted", "built", "started"]
    assert (steps["built"].at, steps["built"].seconds) == (None, None)


def test_stopping_is_a_step_of_its_own() -> None:
    run = a_run(state="running", started_at=BEGAN + 1, stop_by="github:kim")
    asked = steps_of(run)["stopping"]
    assert (asked.title, asked.at, asked.note) == ("Asked to stop", None, "asked by kim")
    run.state, run.stopping_at, run.stop_by = State.STOPPING, BEGAN + 5, "run:9"
    stopping = steps_of(run)["stopping"]
    assert (stopping.goes_on, stopping.note) == (True, "as #9 takes its place")
    assert steps_of(run, alone=True)["stopping"].note is None
    run.state, run.result, run.finished_at = State.FINISHED, "cancelled", BEGAN + 8
    assert steps_of(run)["stopping"].seconds == 3.0


def test_build_has_the_same_steps() -> None:
    build = a_build(state="finished", result="succeeded", started_at=BEGAN + 3, finished_at=BEGAN + 60)
    assert [(step.kind, step.seconds) for step in of_build(build)] == [
        ("accepted", None), ("queued", 3.0), ("started", 57.0), ("ended", None),
    ]  # fmt: skip
    assert [step.kind for step in of_build(a_build(state="waiting"))] == ["accepted", "queued"]
