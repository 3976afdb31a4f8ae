"""The engine when parts of it are killed."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import Outcome, Result, RunSpec
from executor.supervisor import record
from tests.contract.cases import ended, seen, sh, started, text, vanish

Gone = Callable[[int], "asyncio.Future[None]"]


def supervisor_of(tmp_path: Path, key: str) -> int:
    pid = record.lock_holder(str(tmp_path / "work" / "runs" / key))
    assert pid is not None
    return pid


def server_of(engine: ProcessEngine) -> int:
    pid = engine._supervised.server
    assert pid is not None
    return pid


def start_bot(tmp_path: Path) -> "subprocess.Popen[bytes]":
    """Start a process that runs `run-1` and prints the pid of its fork server."""
    script = """
import asyncio, sys
from pathlib import Path
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import RunSpec

async def main():
    directory = Path(sys.argv[1])
    engine = ProcessEngine(directory / "work", LogStore(directory / "logs", 1024 * 1024))
    await engine.open()
    async for said in engine.run(RunSpec("run-1", ("sh", "-c", "echo ready; sleep 0.3; exit 6"))):
        print(engine._supervised.server, flush=True)

asyncio.run(main())
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3])


async def test_lost_supervisor_is_told_and_the_run_not_repeated(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    spec = sh("run-1", f"echo x >> {marks}; echo ready; sleep 1618.03")
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"ready")
    os.kill(supervisor_of(tmp_path, "run-1"), signal.SIGKILL)
    outcome = await running
    assert (outcome.result, outcome.exit_code, outcome.reason) == (Result.ERROR, None, "SupervisorLost")
    assert outcome.started_at is not None
    await vanish("1618.03")
    assert await text(logs, "run-1") == "ready\n"
    assert await ended(engine.run(spec)) == outcome
    assert marks.read_text() == "x\n"


async def test_run_that_was_lost_while_nobody_looked_is_found_so(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    spec = sh("run-1", "echo ready; sleep 1618.04")
    running = engine.run(spec)  # what is followed must be attached to
    await started(running)
    await seen(logs, "run-1", b"ready")
    supervisor = supervisor_of(tmp_path, "run-1")
    await engine.close()
    os.kill(supervisor, signal.SIGKILL)
    later = ProcessEngine(tmp_path / "work", logs)
    assert (await ended(later.run(spec))).reason == "SupervisorLost"
    await vanish("1618.04")
    await later.close()


async def test_supervisor_that_died_before_the_job_began_is_lost_too(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    run = tmp_path / "work" / "runs" / "run-1"
    run.mkdir()
    record.StatusWriter(str(run)).write(record.STARTING, durable=True, supervisor=2**22, boot="another")
    assert (await ended(engine.run(sh("run-1", "echo ran")))).reason == "SupervisorLost"
    assert await text(logs, "run-1") == ""


async def test_start_that_went_no_further_than_the_directory_is_made_again(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    run = tmp_path / "work" / "runs" / "run-1"
    run.mkdir()
    (run / record.LOCK).touch()
    os.mkfifo(run / record.WAKE)
    (run / record.STATUS).write_bytes(b"")
    (run / record.STATUS).unlink()
    assert (await ended(engine.run(sh("run-1", "echo ran")))).result is Result.SUCCEEDED


async def test_runs_do_not_notice_that_the_fork_server_dies(
    engine: ProcessEngine, logs: LogStore, gone: Gone
) -> None:
    running = asyncio.create_task(ended(engine.run(sh("run-1", "echo ready; sleep 0.2; exit 3"))))
    await seen(logs, "run-1", b"ready")
    first = server_of(engine)
    os.kill(first, signal.SIGKILL)
    assert (await ended(engine.run(sh("run-2", "exit 4")))).exit_code == 4
    assert server_of(engine) != first
    assert (await running).exit_code == 3


async def test_fork_server_that_dies_with_a_request_is_replaced(engine: ProcessEngine) -> None:
    await ended(engine.run(sh("run-0", "true")))
    for turn in range(5):
        os.kill(server_of(engine), signal.SIGSTOP)
        running = asyncio.create_task(ended(engine.run(sh(f"run-{turn + 1}", "exit 4"))))
        await asyncio.sleep(0.02)  # so that the request is on its way, which nothing shows
        os.kill(server_of(engine), signal.SIGKILL)
        assert (await running).exit_code == 4


async def test_fork_server_goes_when_its_bot_is_killed_and_the_run_stays(
    logs: LogStore, tmp_path: Path, gone: Gone
) -> None:
    bot = start_bot(tmp_path)
    assert bot.stdout is not None
    server = int(await asyncio.to_thread(bot.stdout.readline))
    bot.kill()
    bot.wait()
    bot.stdout.close()
    await gone(server)
    engine = ProcessEngine(tmp_path / "work", logs)
    outcome = await ended(engine.run(RunSpec("run-1", ("false",))))
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, 6)
    await engine.close()


async def test_timeout_is_kept_while_no_bot_runs(tmp_path: Path, logs: LogStore, gone: Gone) -> None:
    spec = sh("run-1", "echo ready; sleep 60", timeout=0.3)
    first = ProcessEngine(tmp_path / "work", logs)
    await first.open()
    await started(first.run(spec))
    supervisor = supervisor_of(tmp_path, "run-1")
    await first.close()
    await gone(supervisor)
    later = ProcessEngine(tmp_path / "work", logs)
    outcome = await ended(later.run(spec))
    assert outcome.result is Result.TIMED_OUT
    assert outcome.started_at is not None
    assert outcome.finished_at is not None
    assert outcome.finished_at - outcome.started_at < 50  # what it sleeps is a minute
    await later.close()


async def test_stop_by_another_bot_is_seen_by_all(
    engine: ProcessEngine, tmp_path: Path, logs: LogStore
) -> None:
    spec = sh("run-1", "echo ready; sleep 60")
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"ready")
    other = ProcessEngine(tmp_path / "work", LogStore(logs.directory, logs.max_size))
    await other.stop("run-1")
    assert (await running).result is Result.CANCELLED
    await other.close()


async def test_live_run_is_not_removed(engine: ProcessEngine, logs: LogStore) -> None:
    running = asyncio.create_task(ended(engine.run(sh("run-1", "echo ready; sleep 60"))))
    await seen(logs, "run-1", b"ready")
    with pytest.raises(Exception, match="still runs"):
        await engine.remove("run-1")
    await engine.stop("run-1")
    assert isinstance(await running, Outcome)
    await engine.remove("run-1")


async def test_closing_the_engine_frees_who_waits(tmp_path: Path, logs: LogStore) -> None:
    engine = ProcessEngine(tmp_path / "work", logs)
    await engine.open()
    running = asyncio.create_task(ended(engine.run(sh("run-1", "echo ready; sleep 60", timeout=1.0))))
    await seen(logs, "run-1", b"ready")
    await engine.close()
    with pytest.raises(Exception, match="being closed"):
        await running
    other = ProcessEngine(tmp_path / "work", logs)
    await other.stop("run-1")
    await other.close()
