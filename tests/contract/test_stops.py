"""How runs are stopped, on every engine."""

import asyncio
import sys
import time
from dataclasses import replace

import pytest

from executor.spec import Result
from tests.contract.cases import EngineCase, ended, processes, seen, sh, started, text


async def test_exit_code_chosen_on_sigterm_is_kept(case: EngineCase, key: str) -> None:
    # What has just been forked to become another program may swallow a signal, so that program says it.
    script = """trap "echo bye; exit 7" TERM; sh -c 'echo ready; exec sleep 60' & wait"""
    running = asyncio.create_task(
        ended(case.engine.run(sh(key, script, grace=20.0, image=await case.image())))
    )
    await seen(case.logs, key, b"ready")
    await case.engine.stop(key)
    await case.engine.stop(key)
    outcome = await running
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 7)
    assert await text(case.logs, key) == "ready\nbye\n"


async def test_job_that_ignores_sigterm_is_killed_after_its_grace(case: EngineCase, key: str) -> None:
    script = 'trap "" TERM; echo ready; sleep 60; sleep 60'
    running = asyncio.create_task(ended(case.engine.run(sh(key, script, image=await case.image()))))
    await seen(case.logs, key, b"ready")
    asked = time.monotonic()
    await case.engine.stop(key)
    outcome = await running
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 137)
    assert 0.3 <= time.monotonic() - asked < 50  # what it sleeps is a minute


leaves_its_group = pytest.mark.skipif(
    sys.platform != "linux", reason="has no setsid(1), and only process groups to contain a job"
)


@leaves_its_group
async def test_double_fork_that_ignores_sigterm_is_gone_after_stop(case: EngineCase, key: str) -> None:
    hidden = "trap '' TERM HUP; echo ready; sleep 3141.59 & sleep 3141.59; sleep 3141.59"
    script = f'(setsid sh -c "{hidden}" &) ; exec sleep 60'
    running = asyncio.create_task(ended(case.engine.run(sh(key, script, image=await case.image()))))
    await seen(case.logs, key, b"ready")
    await case.engine.stop(key)
    assert (await running).result is Result.CANCELLED
    assert processes("3141.59") == []


@leaves_its_group
async def test_nothing_survives_the_end_of_the_first_process(case: EngineCase, key: str) -> None:
    script = "(setsid sleep 2718.28 &); sleep 2718.28 & echo done"
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    assert (outcome.result, outcome.exit_code) == (Result.SUCCEEDED, 0)
    assert processes("2718.28") == []


async def test_sigterm_reaches_children_only_when_asked(case: EngineCase) -> None:
    child = "trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.02; done"
    script = f"trap 'sleep 0.2; exit 0' TERM; sh -c \"{child}\" & while :; do wait; done"
    for key, children in (("with", True), ("without", False)):
        spec = sh(key, script, grace=20.0, signal_children=children, image=await case.image())
        running = asyncio.create_task(ended(case.engine.run(spec)))
        await seen(case.logs, key, b"ready")
        await case.engine.stop(key)
        assert (await running).result is Result.CANCELLED
    assert "child" in await text(case.logs, "with")
    assert "child" not in await text(case.logs, "without")


async def test_timeout_stops_in_the_same_way(case: EngineCase, key: str) -> None:
    script = 'trap "exit 9" TERM; echo ready; sleep 60 & wait'
    outcome = await ended(case.engine.run(sh(key, script, timeout=0.3, image=await case.image())))
    assert outcome.result is Result.TIMED_OUT
    if "ready" in await text(case.logs, key):  # a shell that is not so far yet dies of the signal
        assert outcome.exit_code == 9
    assert outcome.reason == "DeadlineExceeded"


async def test_stop_before_the_start_wins(case: EngineCase, key: str) -> None:
    for turn in range(20):  # each stops at another moment of the start
        key = f"{key}-{turn}"
        running = asyncio.create_task(ended(case.engine.run(sh(key, "sleep 60", image=await case.image()))))
        for _ in range(turn + 1):
            await asyncio.sleep(0)
        await case.engine.stop(key)
        assert (await running).result is Result.CANCELLED


async def test_stop_at_any_moment_of_the_start_ends_the_run(case: EngineCase, key: str) -> None:
    for turn in range(6):
        key = f"{key}-{turn}"
        running = asyncio.create_task(ended(case.engine.run(sh(key, "sleep 60", image=await case.image()))))
        await asyncio.wait([running], timeout=0.05 * turn)  # other moments, not something to wait for
        await case.engine.stop(key)
        assert (await running).result is Result.CANCELLED


@pytest.mark.parametrize("other", ["-never", ""])
async def test_stopping_what_is_not_there_does_nothing(case: EngineCase, key: str, other: str) -> None:
    spec = sh(key, "exit 0", image=await case.image())
    outcome = await ended(case.engine.run(spec))
    await case.engine.stop(f"{key}{other}")
    assert await ended(case.engine.run(spec)) == outcome
    assert await case.logs.size(f"{key}-never") is None


_PROGRAM = "trap 'echo told; sleep 0.3; echo cleaned; exit 7' TERM; echo ready; while :; do sleep 0.02; done"


@pytest.mark.parametrize("children", [True, False])
async def test_program_that_a_text_runs_is_told_and_has_its_grace(
    case: EngineCase, children: bool, key: str
) -> None:
    script = f'true && sh -c "{_PROGRAM}"; echo never'
    spec = sh(key, script, grace=20.0, signal_children=children, image=await case.image())
    running = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"ready")
    await case.engine.stop(key)
    outcome = await running
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 7)
    written = (await text(case.logs, key)).split()
    assert [word for word in written if word != "Terminated"] == ["ready", "told", "cleaned"]


@pytest.mark.parametrize("trap", ["", "trap 'echo bye' EXIT; "])
async def test_bash_waits_for_its_program_too(case: EngineCase, trap: str, key: str) -> None:
    if case.may_lack_bash:
        pytest.skip("its image may have no bash")
    spec = sh(key, f'{trap}sh -c "{_PROGRAM}"; echo never', grace=20.0, signal_children=False)
    spec = replace(spec, command=("bash", *spec.command[1:]), image=await case.image())
    running = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"ready")
    await case.engine.stop(key)
    assert (await running).exit_code == 7
    assert "never" not in await text(case.logs, key)


@pytest.mark.parametrize("children", [True, False])
async def test_program_that_a_text_runs_is_recorded_as_killed(
    case: EngineCase, children: bool, key: str
) -> None:
    script = "sh -c \"trap '' TERM; echo ready; while :; do sleep 0.05; done\"; echo never"
    spec = sh(key, script, grace=1.0, signal_children=children, image=await case.image())
    running = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"ready")
    await case.engine.stop(key)
    outcome = await running
    assert outcome.exit_code == 137
    assert await ended(case.engine.run(spec)) == outcome


async def test_many_are_stopped_at_once(case: EngineCase, key: str) -> None:
    image = await case.image()
    keys = [f"{key}-{number}" for number in range(12)]
    runs = [case.engine.run(sh(one, "while :; do sleep 0.5; done", grace=30.0, image=image)) for one in keys]
    await asyncio.gather(*(started(run) for run in runs))
    async with asyncio.timeout(25):
        await asyncio.gather(*(case.engine.stop(one) for one in keys))
        outcomes = await asyncio.gather(*(ended(run) for run in runs))
    assert {outcome.result for outcome in outcomes} == {Result.CANCELLED}
