"""What only the container engine promises of runs."""

import asyncio
import dataclasses
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop

from executor.container import ContainerEngine, Settings, containers
from executor.container.client import Client
from executor.container.run_directory import STOP, RunDirectory
from executor.errors import EngineUnavailable
from executor.logs.store import LogStore
from executor.spec import Live, Outcome, Report, Result, RunSpec, Secret
from tests.contract.cases import ended, files_with, processes, seen, sh, started, text
from tests.podman import Podman

UNTIL_TOLD = 'while test -z "$go"; do sleep 0.02; done'
"""Shell words that wait for a SIGHUP, once `trap go=1 HUP` was said."""

pytestmark = pytest.mark.container


@pytest.fixture
def settings(podman: Podman, podman_socket: str) -> Settings:
    return Settings(socket=podman_socket, arguments=podman.arguments)


@pytest.fixture
async def engine(tmp_path: Path, logs: LogStore, settings: Settings) -> AsyncIterator[ContainerEngine]:
    opened = ContainerEngine(settings, tmp_path / "work", logs)
    await opened.open()
    yield opened
    await opened.close()


def name(tmp_path: Path, key: str) -> str:
    return containers.name(containers.installation(tmp_path / "work"), key)


async def test_job_has_no_capability_and_a_root_to_be_read_where_asked(
    engine: ContainerEngine, logs: LogStore, podman: Podman
) -> None:
    script = "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo made; cat /proc/self/status"
    await ended(engine.run(sh("run-1", script, image=podman.image, read_only=True)))
    refused, made, *status = (await text(logs, "run-1")).splitlines()
    assert (refused, made) == ("refused", "made")
    fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


async def test_limits_reach_the_container(engine: ContainerEngine, tmp_path: Path, podman: Podman) -> None:
    spec = sh("run-1", "true", image=podman.image, memory=64 << 20, cpu=0.5)
    await ended(engine.run(spec))
    said = podman.run(
        "inspect",
        name(tmp_path, "run-1"),
        "--format",
        " ".join(
            f"{{{{.HostConfig.{field}}}}}" for field in ("Memory", "NanoCpus", "PidsLimit", "NetworkMode")
        ),
    )
    memory, cpu, pids, network = said.split()
    assert (memory, cpu, pids) == (str(64 << 20), "500000000", str(containers.PIDS))
    assert network != "host"


async def test_values_are_in_no_argument_and_no_file_of_errand_s(
    engine: ContainerEngine, logs: LogStore, tmp_path: Path, podman: Podman
) -> None:
    secret = "correct-horse-battery"
    spec = sh(
        "run-1", "echo $TOKEN; sleep 60", env={"TOKEN": secret}, secrets=(Secret(secret),), image=podman.image
    )
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"***")
    assert processes(secret) == []
    assert files_with(tmp_path, secret) == []
    await engine.stop("run-1")
    await running


async def test_rotated_secret_is_masked_as_it_was_when_the_run_began(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path, settings: Settings
) -> None:
    old, new = "the-old-value", "the-new-value"
    script = f"trap go=1 HUP; echo $TOKEN; {UNTIL_TOLD}; echo again $TOKEN"
    spec = sh("run-1", script, env={"TOKEN": old}, secrets=(Secret(old),), image=podman.image)
    await started(engine.run(spec))
    await seen_then_left(engine, logs, spec)
    other = ContainerEngine(settings, tmp_path / "work", logs)
    await other.open()
    podman.run("kill", "--signal", "HUP", name(tmp_path, "run-1"))
    changed = dataclasses.replace(spec, env={"TOKEN": new}, secrets=(Secret(new),))
    assert (await ended(other.run(changed))).result is Result.SUCCEEDED
    await other.close()
    assert await text(logs, "run-1") == "***\nagain ***\n"


async def seen_then_left(engine: ContainerEngine, logs: LogStore, spec: RunSpec) -> None:
    """Attend a run until it said something, then leave it alone."""
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, spec.key, b"\n")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_stop_by_who_does_not_attend_the_run_ends_it_and_is_remembered(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path, settings: Settings
) -> None:
    spec = sh("run-1", "trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done", image=podman.image)
    spec = dataclasses.replace(spec, grace=20.0)
    await seen_then_left(engine, logs, spec)
    other = ContainerEngine(settings, tmp_path / "work", logs)
    await other.open()
    await other.stop("run-1")
    outcome = await ended(engine.run(spec))
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 6)
    await other.close()


async def test_timeout_is_counted_from_the_start_also_after_a_restart(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path, settings: Settings
) -> None:
    spec = sh("run-1", "echo ready; sleep 60", image=podman.image, timeout=0.5)
    await seen_then_left(engine, logs, spec)
    other = ContainerEngine(settings, tmp_path / "work", logs)
    await other.open()
    outcome = await ended(other.run(spec))
    await other.close()
    assert (outcome.result, outcome.reason) == (Result.TIMED_OUT, "DeadlineExceeded")
    assert outcome.started_at is not None
    assert (tmp_path / "work" / "runs" / "run-1" / STOP).exists()


async def test_sigterm_goes_to_the_first_process_where_the_image_has_no_kill(
    engine: ContainerEngine, logs: LogStore, podman: Podman
) -> None:
    script = "mkdir -p /tmp; mkfifo /tmp/f; busybox rm /bin/kill /bin/sh; trap 'exit 4' TERM; echo ready"
    command = ("bash", "-c", f"{script}; while :; do read -t 1 x <> /tmp/f; done")
    spec = RunSpec("run-1", command, image=podman.image)
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"ready")
    await engine.stop("run-1")
    outcome = await running
    assert (outcome.result, outcome.exit_code) == (Result.CANCELLED, 4)
    assert "first process only" in await text(logs, "run-1")


async def test_live_workload_gives_its_environment_and_its_secrets_are_masked(
    engine: ContainerEngine, logs: LogStore, podman: Podman
) -> None:
    environment = ("-e", "DB_PASSWORD=hunter2hunter2", "-e", "MODE=live", "-e", "OVER=live")
    podman.run("run", "-d", "--name", "web", *environment, podman.image, "sleep", "60")
    try:
        script = 'echo "$MODE $OVER $DB_PASSWORD"; hostname'
        live = Live("container/web")
        await ended(engine.run(sh("run-1", script, image=podman.image, env={"OVER": "own"}, live=live)))
        hostname = podman.run("exec", "web", "hostname")
    finally:
        podman.run("rm", "--force", "--time", "0", "web")
    line, own = (await text(logs, "run-1")).splitlines()
    assert line == "live own ***"
    assert own != hostname


async def test_workload_that_does_not_run_is_an_error(engine: ContainerEngine, podman: Podman) -> None:
    for number, workload in enumerate(("container/no-such", "deployment/web", "container/../x")):
        spec = sh(f"run-{number}", "true", image=podman.image, live=Live(workload))
        assert (await ended(engine.run(spec))).reason == "WorkloadMissing"


async def test_container_that_somebody_removes_is_lost(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    running = asyncio.create_task(ended(engine.run(sh("run-1", "echo ready; sleep 60", image=podman.image))))
    await seen(logs, "run-1", b"ready")
    podman.run("rm", "--force", "--time", "0", name(tmp_path, "run-1"))
    outcome = await running
    assert (outcome.result, outcome.reason) in (
        (Result.ERROR, "ContainerLost"),
        (Result.FAILED, None),  # seen between its kill and its removal
    )
    assert (await text(logs, "run-1")).startswith("ready\n")


async def test_run_whose_container_is_gone_is_not_started_again(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    spec = sh("run-1", "echo ready; sleep 60", image=podman.image)
    await seen_then_left(engine, logs, spec)
    podman.run("rm", "--force", "--time", "0", name(tmp_path, "run-1"))
    outcome = await ended(engine.run(spec))
    assert (outcome.result, outcome.reason) == (Result.ERROR, "ContainerLost")


async def test_running_container_is_not_removed_and_an_ended_one_is(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    spec = sh("run-1", "echo ready; sleep 60", image=podman.image)
    running = asyncio.create_task(ended(engine.run(spec)))
    await seen(logs, "run-1", b"ready")
    with pytest.raises(EngineUnavailable):
        await engine.remove("run-1")
    await engine.stop("run-1")
    await running
    await engine.remove("run-1")
    assert podman.run("ps", "--all", "--quiet", "--filter", f"name={name(tmp_path, 'run-1')}") == ""
    assert not (tmp_path / "work" / "runs" / "run-1").exists()


async def test_pruning_removes_what_ended_before(
    engine: ContainerEngine, podman: Podman, tmp_path: Path
) -> None:
    outcome = await ended(engine.run(sh("run-1", "true", image=podman.image)))
    assert outcome.finished_at is not None
    await engine.prune(before=outcome.finished_at - 1)
    assert (tmp_path / "work" / "runs" / "run-1").exists()
    await engine.prune(before=outcome.finished_at + 1)
    assert not (tmp_path / "work" / "runs" / "run-1").exists()
    assert podman.run("ps", "--all", "--quiet", "--filter", f"name={name(tmp_path, 'run-1')}") == ""


async def test_image_without_a_shell_runs_its_commands_as_they_are(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {podman.image}\nRUN rm /bin/sh /bin/bash\n")
    podman.run("build", "-q", "-t", "localhost/errand-test:bare", str(tmp_path))
    for number in range(2):
        spec = RunSpec(f"run-{number}", ("echo", "$x"), image="localhost/errand-test:bare")
        assert (await ended(engine.run(spec))).result is Result.SUCCEEDED
        assert await text(logs, f"run-{number}") == "$x\n"


async def test_entrypoint_of_the_image_is_not_run(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text(
        f'FROM {podman.image}\nENTRYPOINT ["echo", "entry"]\nCMD ["usual"]\n'
    )
    podman.run("build", "-q", "-t", "localhost/errand-test:entry", str(tmp_path))
    await ended(engine.run(RunSpec("run-1", ("pwd",), image="localhost/errand-test:entry")))
    assert await text(logs, "run-1") == "/\n"


async def test_service_that_dies_is_started_again_and_the_run_found_again(
    podman: Podman, logs: LogStore, tmp_path: Path
) -> None:
    engine = ContainerEngine(Settings(arguments=podman.arguments), tmp_path / "work", logs)
    await engine.open()
    spec = sh("run-1", f"trap go=1 HUP; echo ready; {UNTIL_TOLD}; exit 3", image=podman.image)
    running = asyncio.create_task(_patiently(engine, spec))
    await seen(logs, "run-1", b"ready")
    service = [
        line.split() for line in _processes() if f"{podman.directory}/root" in line and "/cwd/" in line
    ]
    for pid, command, *_ in service:
        if command == podman.command:
            os.kill(int(pid), signal.SIGKILL)
    podman.run("kill", "--signal", "HUP", name(tmp_path, "run-1"))
    assert (await running).exit_code == 3
    await engine.close()
    assert not [line for line in _processes() if f"{podman.directory}/root" in line and "/cwd/" in line]


async def _patiently(engine: ContainerEngine, spec: RunSpec) -> Outcome:
    """Ask again while the engine does not answer, as a worker does."""
    while True:
        try:
            return await ended(engine.run(spec))
        except EngineUnavailable:
            await asyncio.sleep(0.1)


def _processes() -> list[str]:
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    )
    return listed.stdout.splitlines()


def test_engine_works_on_uvloop(tmp_path: Path, podman: Podman, settings: Settings) -> None:
    async def main() -> None:
        logs = LogStore(tmp_path / "logs", 1024 * 1024)
        engine = ContainerEngine(settings, tmp_path / "work", logs)
        await engine.open()
        running = asyncio.create_task(
            ended(engine.run(sh("run-1", "echo ready; sleep 60", image=podman.image)))
        )
        await seen(logs, "run-1", b"ready")
        await engine.stop("run-1")
        assert (await running).result is Result.CANCELLED
        await engine.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_runs_do_not_reach_each_other_and_leave_no_network(
    engine: ContainerEngine, logs: LogStore, podman: Podman, tmp_path: Path
) -> None:
    listening = "echo ready; nc -l -p 8080 -e echo open"
    served = asyncio.create_task(ended(engine.run(sh("run-1", listening, image=podman.image))))
    await seen(logs, "run-1", b"ready")
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = podman.run("inspect", name(tmp_path, "run-1"), "--format", template)
    assert address
    tried = sh("run-2", f"nc -w 2 {address} 8080 </dev/null || echo closed", image=podman.image)
    await ended(engine.run(tried))
    assert (await text(logs, "run-2")).split()[-1] == "closed"
    await engine.stop("run-1")
    await served
    podman.run(
        "network",
        "create",
        "--label",
        f"errand.installation={_installation(tmp_path)}",
        "--label",
        "errand.key=gone",
        f"errand-{_installation(tmp_path)}-gone",
    )  # as one that was killed leaves
    await engine.remove("run-1")
    await engine.remove("run-2")
    await engine.prune(before=0.0)
    assert _installation(tmp_path) not in podman.run("network", "ls")


async def test_live_workload_gives_its_networks(
    engine: ContainerEngine, logs: LogStore, podman: Podman
) -> None:
    podman.run("network", "create", "errand-test-back")
    podman.run("run", "-d", "--name", "db", "--network", "errand-test-back", podman.image, "sleep", "60")
    podman.run("network", "create", "errand-test-front")
    podman.run("network", "connect", "errand-test-front", "db")
    try:
        await ended(engine.run(sh("run-1", "ip -4 -o addr", image=podman.image, live=Live("container/db"))))
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        theirs = podman.run("inspect", "db", "--format", template).split()
    finally:
        podman.run("rm", "--force", "--time", "0", "db")
        await engine.remove("run-1")
        podman.run("network", "rm", "errand-test-back", "errand-test-front")
    said = await text(logs, "run-1")
    assert len(theirs) == 2
    assert all(one.rpartition(".")[0] + "." in said for one in theirs)


def _installation(directory: Path) -> str:
    return containers.installation(directory / "work")


async def test_end_is_told_though_the_command_that_tells_the_job_does_not_come_back(
    engine: ContainerEngine, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Podman clears many away: commands in an ended container wait until that is done."""

    async def execute(client: Client, container: str, words: tuple[str, ...]) -> int:
        await client.ask("POST", f"containers/{container}/kill", {"signal": "SIGKILL"})
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody ends it")

    monkeypatch.setattr(Client, "execute", execute)
    run = engine.run(sh("run-1", "exec sleep 60", image=podman.image))
    await started(run)
    await engine.stop("run-1")
    async with asyncio.timeout(20):
        assert (await ended(run)).result is Result.CANCELLED


async def test_job_of_an_engine_that_has_none_of_our_files_runs_and_reports_nothing(
    engine: ContainerEngine, podman: Podman, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunDirectory, "make_report", lambda place: place.report)  # as of another machine
    for key in ("run-1", "run-2"):
        script = "echo a=1 >> $ERRAND_OUTPUTS && echo 1/2 > $ERRAND_PROGRESS && echo x > $ERRAND_SUMMARY"
        outcome = await ended(engine.run(sh(key, script, image=podman.image)))
        assert (outcome.message, outcome.result, outcome.report) == (None, Result.SUCCEEDED, Report())
