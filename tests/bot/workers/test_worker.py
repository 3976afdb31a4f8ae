"""A claimed build or run comes to its end, whatever the database, the engine or GitHub does meanwhile."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from bot.config import job_of
from bot.errors import RetryLater
from bot.messages.reasons import message
from bot.states import State
from bot.store import leases, runs
from bot.tables import Build, Run
from bot.workers import specs, worker
from bot.workers.worker import FAILURES
from demo.watched import PATIENCE
from executor.errors import EngineUnavailable
from executor.logs.logfile import LogWriter
from executor.spec import Headway, Outcome, Pending, Report, Result, Secret, Started
from tests.bot.house import House
from tests.bot.posting.test_outbox import send

OK = Outcome(Result.SUCCEEDED, exit_code=0, image="i")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits."""
    monkeypatch.setattr(worker, "AGAIN", 0.001)
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.01)


@pytest.fixture
async def run(home: House) -> Run:
    """A claimed run without an image."""
    await home.says("/job run plain")
    return await home.claim(Run)


@pytest.fixture
async def built(home: House) -> Run:
    """A claimed run whose image is built."""
    await home.says("/job run check")
    await home.bot.builder.carry(await home.claim(Build))
    return await home.claim(Run)


def away(home: House, monkeypatch: pytest.MonkeyPatch, method: str, times: int) -> None:
    """The next calls of the store find the database away."""
    real, left = getattr(home.store, method), [RetryLater("away")] * times

    async def sometimes(work: Any) -> Any:
        if left:
            raise left.pop()
        return await real(work)

    monkeypatch.setattr(home.store, method, sometimes)


async def completed(home: House, name: str) -> bool:
    """Whether following the log comes to an end."""
    async with asyncio.timeout(PATIENCE):
        return [chunk async for chunk in home.tools.logs.read(name, follow=True)] == []


async def test_run_goes_its_way_and_the_engine_forgets_it(home: House, run: Run) -> None:
    home.engine.plans = [[Pending("a place"), Started(home.now + 5), OK]]
    await home.bot.runner.carry(run)
    ended = await home.run(1)
    assert (ended.state, ended.result, ended.exit_code) == ("finished", "succeeded", 0)
    assert (ended.started_at, ended.waiting_for) == (home.now + 5, None)
    assert home.engine.called("remove") == [run.name]


async def test_failure_of_errand_itself_ends_the_run_and_stops_the_job(home: House, run: Run) -> None:
    home.engine.plans = [[Started(home.now), ValueError("boom")]]
    await home.bot.runner.carry(run)
    ended = await home.run(1)
    assert (ended.result, ended.reason) == ("error", "InternalError")
    assert len(home.engine.specs) == FAILURES
    assert home.engine.called("stop") == [run.name]
    assert await completed(home, run.name)
    cards = [post for post in await home.posts() if post.run_number == 1]
    assert all(post.wanted > post.sent for post in cards)


async def test_failure_that_passes_costs_nothing(home: House, run: Run) -> None:
    home.engine.plans = [[ValueError("boom")], [Started(home.now), OK]]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).result == "succeeded"


async def test_engine_that_cannot_even_stop_keeps_no_run_from_its_end(home: House, run: Run) -> None:
    home.engine.plans = [[]]  # an engine that falls silent
    home.engine.faults["stop"] = [OSError("no")]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).reason == "InternalError"


async def test_failing_build_of_errand_ends_the_runs_that_wait_for_it(home: House) -> None:
    await home.says("/job run check")
    home.engine.plans = [[ValueError("boom")]]
    await home.bot.builder.carry(await home.claim(Build))
    assert (await home.build(1)).reason == "InternalError"
    assert (await home.run(1)).reason == "BuildFailed"


async def test_failed_build_explains_itself_where_the_run_was_asked_for(home: House) -> None:
    await home.says("/job run check --ref main")
    build = await home.claim(Build)
    log = LogWriter(home.tools.logs.path(build.name), 1 << 20)
    log.write(b"no module named shop\n")
    log.close()
    home.engine.plans = [[Outcome(Result.FAILED, exit_code=2, reason="SetupFailed")]]
    await home.bot.builder.carry(build)
    run = await home.run(1)
    assert message(run) == "Build #1 of shop failed with exit code 2."
    await send(home)
    card = home.github.comments[-1].body
    assert "failed with exit code 2" in card
    assert "(BuildFailed)" in card.replace("\\", "")
    assert "no module named shop" in card
    assert "https://errand.example.com/builds/1" in card
    assert {each.name: each.conclusion for each in home.github.checks} == {
        "errand / build shop": "failure",
        "errand / check": "failure",
    }


async def test_engine_that_does_not_answer_is_asked_again(home: House, run: Run) -> None:
    seen: list[str | None] = []

    async def look() -> None:
        seen.append((await home.run(1)).waiting_for)

    gone = EngineUnavailable("asleep", delay=0.001)
    home.engine.plans = [[gone], [look, Started(home.now), gone], [look, Started(home.now), look, OK]]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).result == "succeeded"
    assert seen == ["The engine does not answer: asleep"] * 2 + [None]


async def test_run_that_ended_is_left_for_the_pruning_where_the_engine_cannot_forget_it(
    home: House, run: Run
) -> None:
    home.engine.faults["remove"] = [EngineUnavailable("still runs")]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).result == "succeeded"
    assert len(home.engine.specs) == 1  # asked again, it would be started anew


async def test_engine_forgets_nothing_that_another_bot_carries(home: House, run: Run) -> None:
    async def lose() -> None:
        await home.write(lambda s: s.execute(update(Run).values(lease_owner="two")))

    home.engine.plans = [[Started(home.now), lose, OK]]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).state == "running"
    assert home.engine.called("remove") == []


async def test_run_of_another_bot_is_not_carried_on_after_an_interruption(home: House, run: Run) -> None:
    async def lose() -> None:
        await home.write(lambda s: s.execute(update(Run).values(lease_owner="two")))

    home.engine.plans = [[lose, EngineUnavailable("away", delay=0.001)]]
    await home.bot.runner.carry(run)
    assert len(home.engine.specs) == 1


@pytest.mark.parametrize("method", ["write", "read"])
async def test_database_that_is_away_loses_nothing(
    home: House, run: Run, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    away(home, monkeypatch, "write", 2)
    if method == "read":
        away(home, monkeypatch, "read", 1)
    await home.bot.runner.carry(run)
    assert (await home.run(1)).result == "succeeded"


async def test_engine_and_database_away_at_once(
    home: House, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fall() -> None:
        away(home, monkeypatch, "write", 1)

    home.engine.plans = [[Started(home.now), fall, EngineUnavailable("away", delay=0.001)], [OK]]
    await home.bot.runner.carry(run)
    assert (await home.run(1)).result == "succeeded"


async def test_run_cancelled_before_the_engine_knew_of_it_has_a_complete_log(home: House, run: Run) -> None:
    await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))
    await home.bot.runner.carry(await home.run(1))
    assert (await home.run(1)).result == "cancelled"
    assert home.engine.specs == []
    assert await completed(home, run.name)


async def test_stop_reaches_the_engine_once_though_it_is_heard_of_often(home: House, run: Run) -> None:
    hands = home.bot.runner

    async def stop() -> None:
        for _ in range(3):
            await hands.stop(run)

    home.engine.plans = [[Started(home.now), stop, Outcome(Result.CANCELLED, exit_code=143)]]
    await hands.carry(run)
    assert home.engine.called("stop") == [run.name]
    assert (await home.run(1)).exit_code == 143


async def test_stop_that_could_not_be_said_is_said_again(
    home: House, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = home.bot.runner

    async def stop() -> None:
        away(home, monkeypatch, "write", 1)
        with pytest.raises(RetryLater):
            await hands.stop(run)
        home.engine.faults["stop"] = [EngineUnavailable("away")]
        with pytest.raises(EngineUnavailable):
            await hands.stop(run)
        await hands.stop(run)

    home.engine.plans = [[Started(home.now), stop, Outcome(Result.CANCELLED)]]
    await hands.carry(run)
    assert home.engine.called("stop") == [run.name] * 2


async def test_stop_before_the_engine_knows_is_repeated_when_it_does(home: House, run: Run) -> None:
    hands = home.bot.runner
    await hands.stop(run)
    home.engine.plans = [[Started(home.now), Outcome(Result.CANCELLED)]]
    await hands.carry(run)
    assert len(home.engine.called("stop")) == 2
    assert hands._stopping == set()


async def test_stop_asked_for_while_nobody_carried_reaches_the_engine(home: House, run: Run) -> None:
    await home.write(lambda s: runs.move(s, 1, State.STARTING, owner="one", now=home.now))
    await home.write(lambda s: runs.request_stop(s, 1, by="github:octocat", now=home.now))
    home.engine.plans = [[Started(home.now), Outcome(Result.CANCELLED)]]
    await home.bot.runner.carry(await home.run(1))
    assert home.engine.called("stop") == [run.name]


async def test_finished_rows_are_left_alone(home: House, built: Run) -> None:
    before = len(home.engine.calls)
    await home.bot.builder.carry(await home.build(1))
    await home.write(lambda s: leases.release(s, owner="one"))
    await home.bot.runner.carry(built)  # not ours any more
    assert len(home.engine.specs) == 1
    assert len(home.engine.calls) == before + 1  # whether the image is there


async def test_image_that_was_cleared_away_is_built_again(home: House, built: Run) -> None:
    home.engine.gone = {"i"}
    await home.bot.runner.carry(built)
    waiting = await home.run(1)
    assert (waiting.state, waiting.digest, waiting.build_number) == ("waiting", None, 2)
    assert (await home.build(1)).reason == "ImageGone"
    home.engine.plans = [[Started(home.now), Outcome(Result.SUCCEEDED, image="new")]]
    await home.bot.builder.carry(await home.claim(Build))
    await home.bot.runner.carry(await home.claim(Run))
    assert ((await home.run(1)).result, (await home.run(1)).digest) == ("succeeded", "new")


async def test_image_that_was_cleared_away_after_a_yes_to_it_is_none_that_was_approved(
    home: House, built: Run
) -> None:
    home.engine.gone = {"i"}
    built.approval = {"given": [{"actor": "github:hubber", "cause": "comment", "at": 1.0}]}
    await home.bot.runner.carry(built)
    ended = await home.run(1)
    assert (ended.result, ended.reason) == ("error", "ImageGone")
    assert (await home.build(1)).digest is None  # who asks anew gets a new build


async def test_variable_that_is_missing_is_told_and_a_job_of_an_earlier_life_stopped(home: House) -> None:
    await home.says("/job run words")
    run = await home.claim(Run)
    await home.write(lambda s: runs.move(s, 1, State.STARTING, owner="one", now=home.now))
    home.tools.registry.config._environ = {}
    await home.bot.runner.carry(await home.run(1))
    ended = await home.run(1)
    assert (ended.reason, "API_KEY" in str(ended.message)) == ("NotConfigured", True)
    assert home.engine.called("stop") == [run.name]


async def test_secrets_go_to_the_engine_alone(home: House) -> None:
    await home.says("/job run words -- a")
    await home.bot.runner.carry(await home.claim(Run))
    (spec,) = home.engine.specs
    assert spec.env["API_KEY"] == "s3cr3t"  # type: ignore[union-attr]
    assert "s3cr3t" not in str((await home.run(1)).model_dump())


async def test_variable_that_a_job_was_given_after_the_start_is_masked_in_our_own_log_too(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Secret] = []
    monkeypatch.setattr(specs, "mask", told.extend)
    job = job_of(b'{"command": "true", "env": {"X": "key ${API_KEY}"}}', "later", home.tools.registry.config)
    await home.tools.registry.put(job, actor="token:boss", expected=lambda version: True)
    await home.says("/job run later")
    await home.bot.runner.carry(await home.claim(Run))
    assert told == [Secret("s3cr3t"), Secret("key s3cr3t")]


async def test_cancelled_worker_leaves_the_job_running(home: House, run: Run) -> None:
    began: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hang() -> None:
        began.set_result(None)
        await asyncio.get_running_loop().create_future()

    home.engine.plans = [[Started(home.now), hang]]
    task = asyncio.create_task(home.bot.runner.carry(run))
    await began
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (home.engine.called("stop"), home.engine.called("remove")) == ([], [])
    assert (await home.run(1)).state == "running"


async def test_what_a_job_reports_is_stored_its_progress_while_it_runs(home: House, run: Run) -> None:
    seen: list[Run] = []

    async def look() -> None:
        seen.append(await home.run(1))

    report = Report({"rows": "12"}, "# Done", Headway(3, 3))
    ended = replace(OK, report=report)
    home.engine.plans = [[Started(home.now), Headway(1, 3), look, Headway(2, 3), look, ended]]
    await home.bot.runner.carry(run)
    assert [each.progress for each in seen] == [{"done": 1, "total": 3}, {"done": 2, "total": 3}]
    found = await home.run(1)
    assert (found.outputs, found.summary, found.progress) == (
        {"rows": "12"},
        "# Done",
        {"done": 3, "total": 3},
    )


async def test_progress_of_a_run_that_another_bot_has_is_not_stored(home: House, run: Run) -> None:
    await home.bot.runner.carry(run)
    advanced = await home.write(lambda s: runs.advance(s, 1, owner="one", done=1, total=2))
    assert (advanced, (await home.run(1)).progress) == (None, None)
