"""How runs start, attach and end, on every engine."""

import asyncio

import pytest

from executor.spec import Outcome, Result, RunSpec, Secret, Started
from tests.contract.cases import EngineCase, ended, need_bash, seen, sh, started, text


@pytest.mark.parametrize(
    ("script", "result", "code"),
    [
        ("exit 0", Result.SUCCEEDED, 0),
        ("exit 3", Result.FAILED, 3),
        ("kill -KILL $$", Result.FAILED, 137),
        ("no-such-program", Result.FAILED, 127),
    ],
)
async def test_exit_code_and_result_are_the_job_s_own(
    case: EngineCase, script: str, result: Result, code: int, key: str
) -> None:
    outcome = await ended(case.engine.run(sh(key, script, image=await case.image())))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (result, code, None)
    assert outcome.started_at is not None
    assert outcome.finished_at is not None
    assert outcome.finished_at >= outcome.started_at


async def test_start_is_told_before_the_end(case: EngineCase, key: str) -> None:
    said = [item async for item in case.engine.run(sh(key, "true", image=await case.image()))]
    kinds = [type(item) for item in said if isinstance(item, (Started, Outcome))]
    assert kinds == [Started, Outcome]


async def test_same_key_is_never_run_twice(case: EngineCase, key: str) -> None:
    spec = sh(key, "echo once; read line; exit 5", image=await case.image())
    outcomes = await asyncio.gather(*(ended(case.engine.run(spec)) for _ in range(5)))
    outcomes.append(await ended(case.engine.run(spec)))
    assert len(set(outcomes)) == 1
    assert await text(case.logs, key) == "once\n"


async def test_attaching_to_a_running_job_tells_its_start_again(case: EngineCase, key: str) -> None:
    spec = sh(key, "echo ready; sleep 60", image=await case.image())
    first, second = case.engine.run(spec), case.engine.run(spec)
    assert await started(first) == await started(second)
    await case.engine.stop(key)
    assert (await ended(first)) == (await ended(second))


async def test_leaving_the_iterator_leaves_the_job_running(case: EngineCase, key: str) -> None:
    spec = sh(key, "echo ready; sleep 0.3; echo done", image=await case.image())
    async for _ in case.engine.run(spec):
        break
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert await text(case.logs, key) == "ready\ndone\n"


async def test_cancelled_waiting_leaves_the_job_running(case: EngineCase, key: str) -> None:
    spec = sh(key, "echo ready; sleep 0.3; echo done", image=await case.image())
    waiting = asyncio.create_task(ended(case.engine.run(spec)))
    await seen(case.logs, key, b"ready")
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED


async def test_removed_run_is_forgotten_but_its_log_stays(case: EngineCase, key: str) -> None:
    await ended(case.engine.run(sh(key, "echo kept", image=await case.image())))
    await case.engine.remove(key)
    await case.engine.remove("never-was")
    assert await text(case.logs, key) == "kept\n"


async def test_unknown_image_is_an_error_of_the_platform(case: EngineCase, key: str) -> None:
    outcome = await ended(case.engine.run(sh(key, "true", image="no-such-image@nowhere")))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.ERROR, None, "ImageMissing")
    assert outcome.message


@pytest.mark.parametrize("key", ["", "../up", "a/b", ".hidden", "UPPER", "a\n", "a" * 200])
async def test_key_that_could_become_a_path_is_refused(case: EngineCase, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await ended(case.engine.run(sh(key, "true")))
    with pytest.raises(ValueError, match="not a key"):
        await case.engine.stop(key)


async def test_job_gets_its_parameters_and_no_other_environment(
    case: EngineCase, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("ERRAND_OWN", "not for jobs")
    monkeypatch.setenv("TMPDIR", "/nowhere")
    declared = {"SINCE": "2024-01-01", "WORDS": "a b\n$(c) 'd' \"e\"", "EMPTY": ""}
    spec = RunSpec(key, ("env", "-0"), image=await case.image(), env=declared)
    await ended(case.engine.run(spec))
    got = dict(item.split("=", 1) for item in (await text(case.logs, key)).split("\0") if item)
    assert {name: got.pop(name) for name in declared} == declared
    assert set(got) <= case.variables


@pytest.mark.parametrize(("key", "setup"), [("bare", None), ("after-setup", "true")])
async def test_arguments_reach_the_job_word_by_word(case: EngineCase, key: str, setup: str | None) -> None:
    if setup:
        await need_bash(case)
    words = ("$(id)", "a b", "'", '"', "", "*", "-n", "\\")
    spec = RunSpec(key, ("printf", "<%s>", *words), image=await case.image(), setup=setup)
    await ended(case.engine.run(spec))
    assert await text(case.logs, key) == "".join(f"<{word}>" for word in words)


async def test_setup_runs_in_the_same_shell_before_the_command(case: EngineCase, key: str) -> None:
    await need_bash(case)
    spec = sh(key, "echo $GREETING", setup="GREETING=hello\nexport GREETING # said", image=await case.image())
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert await text(case.logs, key) == "hello\n"


@pytest.mark.parametrize("setup", ["false", "exit 1", "if then", "cd /no/such/place"])
async def test_command_does_not_run_after_a_failed_setup(case: EngineCase, setup: str, key: str) -> None:
    await need_bash(case)
    outcome = await ended(case.engine.run(sh(key, "echo ran", setup=setup, image=await case.image())))
    assert outcome.result is Result.FAILED
    assert outcome.exit_code
    assert "ran\n" not in await text(case.logs, key)


async def test_secrets_are_masked_in_the_log(case: EngineCase, key: str) -> None:
    secret = Secret('tok\'en+/ with "more"')
    script = 'echo "raw $TOKEN"; printf "user:%s" "$TOKEN" | base64; printf %s "$TOKEN"; sleep 0.1; echo'
    spec = sh(key, script, image=await case.image(), env={"TOKEN": secret.reveal()}, secrets=(secret,))
    await ended(case.engine.run(spec))
    log = await text(case.logs, key)
    assert "en+/" not in log
    assert log.startswith("raw ***\n")
    assert log.endswith("\n***\n")
    assert log.count("***") == 3
