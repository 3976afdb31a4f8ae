"""The memory of a run, on every engine that can limit it here."""

import pytest

from executor.spec import Result, RunSpec
from tests.contract.cases import EngineCase, ended, sh, text

LIMIT = 128 * 2**20


@pytest.fixture(autouse=True)
def limits(case: EngineCase) -> None:
    """Only where there are limits."""
    if not case.limits_memory:
        pytest.skip("this engine cannot limit memory here")


async def test_job_that_takes_too_much_fails_and_the_reason_says_why(case: EngineCase, key: str) -> None:
    script = case.take(2 * LIMIT)
    outcome = await ended(case.engine.run(sh(key, script, memory=LIMIT, image=await case.image())))
    assert (outcome.result, outcome.reason) == (Result.FAILED, case.out_of_memory)
    assert outcome.message is not None
    assert "128 MiB" in outcome.message


async def test_job_within_its_limit_is_left_alone(case: EngineCase, key: str) -> None:
    spec = sh(key, case.take(LIMIT // 4), memory=LIMIT, image=await case.image())
    assert (await ended(case.engine.run(spec))).result is Result.SUCCEEDED
    assert await text(case.logs, key) == f"{LIMIT // 4}\n"


async def test_failure_for_another_reason_is_not_blamed_on_memory(case: EngineCase, key: str) -> None:
    outcome = await ended(case.engine.run(sh(key, "exit 3", memory=LIMIT, image=await case.image())))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.FAILED, 3, None)


async def test_job_cannot_raise_its_limit(case: EngineCase, key: str) -> None:
    script = f"{case.raise_limit}; {case.take(2 * LIMIT)}"
    outcome = await ended(case.engine.run(sh(key, script, memory=LIMIT, image=await case.image())))
    assert outcome.reason == case.out_of_memory
    assert "raised" not in await text(case.logs, key)


async def test_words_and_exit_codes_are_the_same_with_a_limit(case: EngineCase, key: str) -> None:
    words = ("$(id)", "a b", "'", "", "*")
    spec = RunSpec(key, ("printf", "<%s>", *words), memory=LIMIT, image=await case.image())
    await ended(case.engine.run(spec))
    assert await text(case.logs, key) == "".join(f"<{word}>" for word in words)
    missing = RunSpec(f"{key}-2", ("no-such-program",), memory=LIMIT, image=await case.image())
    outcome = await ended(case.engine.run(missing))
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.FAILED, 127, None)
