"""What a job can be given (attempts, files, memory, secrets), and how it is stopped, through the service."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo.installation import Installation, Where, installation

HERE = Path(__file__).parent
SECRET = "postgres://shop:hunter22@db/shop"


@pytest.fixture
def jobs() -> Where:
    """An installation of these jobs."""
    return Where(config=HERE / "jobs.yaml", sample=HERE / "repository", environ={"SHOP_DB_URL": SECRET})


@pytest.fixture
async def errand(tmp_path: Path, jobs: Where) -> AsyncIterator[Installation]:
    """It, running."""
    async with installation(tmp_path, **jobs) as made:
        made.on_event = print  # shown when a test fails
        yield made


@pytest.fixture
async def hasty(tmp_path: Path, jobs: Where) -> AsyncIterator[Installation]:
    """The same with short pauses between attempts, which these tests would only wait for."""
    where: Where = {**jobs, "program": HERE / "hasty.py"}
    async with installation(tmp_path, **where) as made:
        made.on_event = print
        yield made


async def finished(errand: Installation, number: int = 1) -> dict[str, Any]:
    """The run as the API tells it, once it has ended."""
    await errand.wait_for(lambda: errand.has_logged("run.finished", number))
    return await told(errand, number)


async def cancelled(errand: Installation) -> dict[str, Any]:
    """The same of a run that is cancelled wherever it is, also between two attempts."""
    await errand.comment("/job cancel #1")
    github = errand.beside.github
    await github.wait_for(lambda: any("was cancelled" in each.body for each in github.comments))
    return await told(errand, 1)


async def told(errand: Installation, number: int) -> dict[str, Any]:
    """The run as the API tells it."""
    answer = await errand.get(f"/api/runs/{number}", token=await token(errand))
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def token(errand: Installation) -> str:
    """An API token of its own for each who asks."""
    name = f"t{len(list(errand.home.glob('token-*')))}"
    (errand.home / f"token-{name}").touch()
    return await errand.token(name)


async def log(errand: Installation, number: int = 1, attempt: int = 1) -> str:
    """The whole log of an attempt."""
    path = f"/api/runs/{number}/logs?attempt={attempt}"
    return (await errand.get(path, token=await token(errand))).text


async def ready(errand: Installation, number: int = 1) -> None:
    """Wait until the job has said so."""
    async for line in errand.log_lines(number, await token(errand)):
        if line == "ready":
            return
    raise AssertionError("it never was")


def attempts(run: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(each["result"], each["exit_code"]) for each in run["attempts"]]


def began(errand: Installation) -> int:
    """How many attempts have begun."""
    return sum(each.get("event") == "run.running" for each in errand.events)


def processes(marker: str) -> list[str]:
    """Processes of this machine whose arguments have `marker`."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if marker in line]


async def test_each_attempt_has_its_end_and_its_log_and_the_card_counts_them(hasty: Installation) -> None:
    marks = hasty.home / "marks"
    await hasty.comment(f"/job run flaky MARKS={marks}")
    run = await finished(hasty)
    assert (run["result"], run["exit_code"]) == ("succeeded", 0)
    assert attempts(run) == [("failed", 11), ("failed", 12), ("succeeded", 0)]
    for attempt in (1, 2, 3):
        assert await log(hasty, 1, attempt) == f"this is number {attempt}\n"
    github = hasty.beside.github
    card = await github.wait_for(
        lambda: next((each for each in github.comments if "succeeded" in each.body), None)
    )
    assert card is not None
    assert "attempt 3 of 3" in card.body


async def test_between_two_attempts_the_card_says_so_and_a_cancel_ends_it(errand: Installation) -> None:
    await errand.comment("/job run hopeless")
    github = errand.beside.github
    waits = re.compile(r"is waiting for attempt \d+ of 11 to begin \d+s after the one before")
    await github.wait_for(lambda: any(waits.search(each.body) for each in github.comments))
    await errand.comment("/job logs #1")
    await github.wait_for(lambda: any("no use" in each.body for each in github.comments))
    run = await cancelled(errand)
    assert (run["state"], run["result"]) == ("finished", "cancelled")
    assert attempts(run)[0] == ("failed", 4)


async def test_attempt_whose_checkout_was_cleared_away_builds_it_again(hasty: Installation) -> None:
    await hasty.comment("/job run hopeless")
    await hasty.wait_for(lambda: began(hasty) >= 2)
    (tree,) = (hasty.home / "var" / "work" / "trees" / "acme" / "shop").glob("*/ready")
    tree.unlink()
    await hasty.wait_for(lambda: hasty.has_logged("build.finished", 2))
    await hasty.wait_for(lambda: began(hasty) >= 4)
    run = await cancelled(hasty)
    assert attempts(run).count(("failed", 4)) >= 3


@pytest.mark.parametrize("held", [1, 2, 3])
async def test_killed_in_any_attempt_none_is_lost_or_doubled(hasty: Installation, held: int) -> None:
    marks, gate = hasty.home / "marks", hasty.home / "gate"
    await hasty.comment(f"/job run flaky MARKS={marks} GATE={gate} HOLD={held}")
    await hasty.wait_for(lambda: began(hasty) == held)
    await hasty.kill()
    gate.touch()  # while nobody watches, the attempt ends
    await hasty.start()
    run = await finished(hasty)
    assert attempts(run) == [("failed", 11), ("failed", 12), ("succeeded", 0)]
    assert marks.read_text() == "attempt\n" * 3


async def test_cancelled_attempt_is_the_last(hasty: Installation) -> None:
    marks = hasty.home / "marks"
    await hasty.comment(f"/job run flaky MARKS={marks} GATE={hasty.home}/never HOLD=2")
    await hasty.wait_for(lambda: began(hasty) == 2)
    await hasty.comment("/job cancel #1")
    run = await finished(hasty)
    assert (run["result"], [each["result"] for each in run["attempts"]]) == (
        "cancelled",
        ["failed", "cancelled"],
    )
    assert len(marks.read_text().splitlines()) <= 2


async def test_files_are_placed_as_they_are_written(errand: Installation) -> None:
    await errand.comment("/job run files")
    assert (await finished(errand))["result"] == "succeeded"
    assert await log(errand) == "[app]\nworkers = ${2}\n"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
async def test_memory_is_limited_and_the_reason_says_so(errand: Installation) -> None:
    await errand.comment("/job run hungry")
    run = await finished(errand)
    assert (run["result"], run["reason"]) == ("failed", "OutOfMemory")


async def test_secret_reaches_the_job_and_nothing_else(errand: Installation) -> None:
    await errand.comment("/job run secret")
    assert (await finished(errand))["result"] == "succeeded"
    assert await log(errand) == "url=***\n"
    for suffix in ("", "-wal"):
        stored = (errand.home / f"errand.db{suffix}").read_bytes()
        assert b"hunter22" not in stored
    assert "hunter22" not in json.dumps(errand.events)


async def test_exit_code_chosen_on_sigterm_is_kept(errand: Installation) -> None:
    await errand.comment("/job run trap")
    await ready(errand)
    await errand.comment("/job cancel #1")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("cancelled", 7)
    assert await log(errand) == "ready\nbye\n"


@pytest.mark.skipif(sys.platform != "linux", reason="has no setsid(1), and only process groups")
async def test_double_fork_that_ignores_sigterm_is_gone(errand: Installation) -> None:
    nap = "54321.125"
    await errand.comment(f"/job run hidden NAP={nap}")
    await ready(errand)
    assert processes(f"sleep {nap}")
    await errand.comment("/job cancel #1")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("cancelled", 137)
    assert processes(f"sleep {nap}") == []


@pytest.mark.skipif(sys.platform != "linux", reason="has no setsid(1), and only process groups")
async def test_double_fork_that_ignores_sigterm_does_not_outlive_the_timeout(errand: Installation) -> None:
    nap = "54321.25"
    await errand.comment(f"/job run overdue NAP={nap}")
    run = await finished(errand)
    assert (run["result"], run["reason"]) == ("timed_out", "DeadlineExceeded")
    text = await log(errand)
    if "ready" in text:  # a shell that is not so far yet may die of the signal
        assert (text, run["exit_code"]) == ("ready\n", 137)
    assert processes(f"sleep {nap}") == []


async def test_timeout_stops_in_the_same_way(errand: Installation) -> None:
    await errand.comment("/job run late")
    run = await finished(errand)
    assert (run["result"], run["reason"]) == ("timed_out", "DeadlineExceeded")
    text = await log(errand)
    if "ready" in text:  # a shell that is not so far yet may die of the signal
        assert (text, run["exit_code"]) == ("ready\ntoo late\n", 9)


async def test_only_the_first_process_hears_of_a_stop_where_that_is_asked_for(errand: Installation) -> None:
    await errand.comment(f"/job run first GATE={errand.home}/gate")
    await ready(errand)
    await errand.comment("/job cancel #1")
    run = await finished(errand)
    assert (run["result"], run["exit_code"]) == ("cancelled", 5)
    assert await log(errand) == "ready\nfirst heard\n"
