"""What only the process engine promises."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest
import uvloop

from executor import descriptors
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.process import ProcessEngine, spawner
from executor.spec import Result, RunSpec, Secret
from executor.supervisor import record
from tests.contract.cases import ended, files_with, processes, seen, sh, text, vanish

_SIGNALS = ("SigBlk", "SigIgn", "SigCgt")

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc or setsid(1)")


def environment_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_secrets_and_values_are_in_no_file_and_no_argument(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    secret, value = "correct-horse-battery", "staple-parameter"
    spec = sh(
        "run-1", "echo $TOKEN; sleep 60", env={"TOKEN": secret, "VALUE": value}, secrets=(Secret(secret),)
    )
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"***")
    assert processes(secret) == processes(value) == []
    assert files_with(tmp_path, secret) == files_with(tmp_path, value) == []
    supervisor = record.lock_holder(str(tmp_path / "work" / "runs" / "run-1"))
    if sys.platform == "linux":
        assert secret.encode() not in environment_of(supervisor)
    await engine.stop("run-1")
    await running


@linux
async def test_job_inherits_no_descriptor_and_no_signal_disposition(
    engine: ProcessEngine, logs: LogStore
) -> None:
    script = "echo /proc/self/fd/*; cat /proc/self/status"
    await ended(engine.run(RunSpec("run-1", ("bash", "-c", script))))
    descriptors, *status = (await text(logs, "run-1")).splitlines()
    # The C library itself ignores two signals above 31 in what it spawns.
    signals = {line[:6]: int(line[7:], 16) % 2**31 for line in status if line[:6] in _SIGNALS}
    assert {int(name.rpartition("/")[2]) for name in descriptors.split()} <= {0, 1, 2, 3}
    assert signals == dict.fromkeys(_SIGNALS, 0)


async def test_job_may_open_as_many_files_as_if_errand_had_not_asked_for_more(
    engine: ProcessEngine, logs: LogStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(descriptors, "_before", [])
    resource.setrlimit(resource.RLIMIT_NOFILE, (250, before[1]))
    try:
        descriptors.raise_limit(400)
        await ended(engine.run(sh("run-1", "ulimit -S -n; ulimit -H -n")))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    soft, hard = (await text(logs, "run-1")).split()[:2]
    assert (soft, hard) == ("250", str(before[1]))


async def test_job_reads_nothing(engine: ProcessEngine) -> None:
    assert (await ended(engine.run(sh("run-1", "read line")))).exit_code == 1


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("no-such-program", 127, "command not found"),
        ("/no/such/program", 127, "command not found"),
        ("./script", 126, "permission denied"),
        ("/", 126, "is a directory"),
        ("", 127, "command not found"),
    ],
)
async def test_command_that_cannot_run_ends_as_in_a_shell(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path, command: str, code: int, words: str
) -> None:
    work = tmp_path / "work" / "runs" / "run-1" / "work"
    work.mkdir(parents=True)
    (work / "script").write_text("echo no")
    outcome = await ended(engine.run(RunSpec("run-1", (command,))))
    assert (outcome.result, outcome.exit_code) == (Result.FAILED, code)
    assert words in (outcome.message or "")
    assert words in await text(logs, "run-1")


async def test_program_of_a_wrong_format_ends_with_126(engine: ProcessEngine, tmp_path: Path) -> None:
    work = tmp_path / "work" / "runs" / "run-1" / "work"
    work.mkdir(parents=True)
    (work / "script").write_text("echo no")
    (work / "script").chmod(0o755)
    assert (await ended(engine.run(RunSpec("run-1", ("./script",))))).exit_code == 126


async def test_message_that_names_a_secret_is_masked(engine: ProcessEngine) -> None:
    spec = RunSpec("run-1", ("s3cret-program",), secrets=(Secret("s3cret"),))
    assert (await ended(engine.run(spec))).message == "***-program: command not found"


@pytest.mark.parametrize(
    "spec",
    [
        RunSpec("run-1", ()),
        RunSpec("run-1", ("echo", "a\0b")),
        RunSpec("run-1", ("true",), env={"A=B": "c"}),
        RunSpec("run-1", ("true",), env={"": "c"}),
        RunSpec("run-1", ("true",), env={"A": "b\0c"}),
        RunSpec("run-1", ("true",), secrets=(Secret("a\0b"),)),
        RunSpec("run-1", ("true",), env={"A": "b" * 20_000_000}),
    ],
)
async def test_specification_that_no_process_can_have_is_an_error(
    engine: ProcessEngine, spec: RunSpec
) -> None:
    outcome = await ended(engine.run(spec))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "SpecInvalid")
    assert outcome.message


async def test_large_environment_arrives_whole(engine: ProcessEngine, logs: LogStore) -> None:
    env = {f"V{number}": "v" * 100_000 for number in range(10)}
    await ended(engine.run(sh("run-1", "echo ${#V0} ${#V9}", env=env)))
    assert await text(logs, "run-1") == "100000 100000\n"


async def test_declared_variables_win_over_the_engine_s(engine: ProcessEngine, logs: LogStore) -> None:
    await ended(
        engine.run(RunSpec("run-1", ("/bin/sh", "-c", "echo $PATH $LANG"), env={"PATH": "/x", "LANG": "y"}))
    )
    assert await text(logs, "run-1") == "/x y\n"


async def test_record_tells_the_supervisor_s_own_time(engine: ProcessEngine, tmp_path: Path) -> None:
    await ended(engine.run(sh("run-1", "true")))
    status = record.read_status(str(tmp_path / "work" / "runs" / "run-1"))
    assert status is not None
    assert 0 < float(status["cpu"]) < 0.1


async def test_many_runs_at_once(engine: ProcessEngine) -> None:
    outcomes = await asyncio.gather(*(ended(engine.run(sh(f"run-{n}", f"exit {n}"))) for n in range(40)))
    assert [outcome.exit_code for outcome in outcomes] == list(range(40))


def test_engine_works_on_uvloop(tmp_path: Path) -> None:
    async def main() -> None:
        logs = LogStore(tmp_path / "logs", 1024 * 1024)
        engine = ProcessEngine(tmp_path / "work", logs)
        await engine.open()
        running = asyncio.create_task(ended(engine.run(sh("run-1", "echo ready; sleep 60"))))
        await seen(logs, "run-1", b"ready")
        other = ProcessEngine(tmp_path / "work", logs)  # which watches the FIFO
        also = asyncio.create_task(ended(other.run(sh("run-1", "true"))))
        await engine.stop("run-1")
        assert (await running) == (await also)
        await other.close()
        await engine.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_engine_without_a_place_to_work_is_unavailable(tmp_path: Path, logs: LogStore) -> None:
    (tmp_path / "work").write_text("a file")
    with pytest.raises(EngineUnavailable):
        await ProcessEngine(tmp_path / "work", logs).open()


async def test_fork_server_that_does_not_start_makes_the_engine_unavailable(
    engine: ProcessEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit(1)")
    monkeypatch.setattr(spawner, "_SERVER", [sys.executable, str(broken)])
    with pytest.raises(EngineUnavailable):
        await ended(engine.run(sh("run-1", "true")))


@pytest.fixture
def without_subreaper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fork server believe that it is on a system that has process groups only."""
    server = tmp_path / "forkserver.py"
    server.write_text(
        f"import sys; sys.path.append({str(Path(__file__).parents[3])!r})\n"
        "from executor.supervisor import descendants, forkserver\n"
        "descendants._prctl = None\nforkserver.main()\n"
    )
    monkeypatch.setattr(spawner, "_SERVER", [*spawner._SERVER[:-1], str(server)])


@pytest.mark.usefixtures("without_subreaper")
async def test_without_subreaper_the_process_group_is_killed(engine: ProcessEngine, logs: LogStore) -> None:
    outcome = await ended(engine.run(sh("run-1", "sleep 1414.21 & echo done; exit 2")))
    assert outcome.exit_code == 2
    await vanish("1414.21")
    running = asyncio.create_task(
        ended(engine.run(sh("run-2", "trap '' TERM; echo ready; sleep 1414.22; sleep 1414.22")))
    )
    await seen(logs, "run-2", b"ready")
    await engine.stop("run-2")
    assert (await running).exit_code == 137
    await vanish("1414.22")


@linux
@pytest.mark.usefixtures("without_subreaper")
async def test_process_that_holds_the_output_open_does_not_hang_the_run(
    engine: ProcessEngine, logs: LogStore, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    daemon = f"setsid sh -c 'echo $$ > {pid}; exec sleep 60' & while ! test -s {pid}; do sleep 0.01; done"
    outcome = await ended(engine.run(sh("run-1", f"{daemon}; echo done; exit 5")))
    assert outcome.exit_code == 5
    assert await text(logs, "run-1") == "done\n"
    os.kill(int(pid.read_text()), signal.SIGKILL)
