"""What the contract suite needs to know of an engine, and how it is told for each."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from demo.watched import PATIENCE
from executor.container import ContainerEngine, Settings
from executor.engine import Engine
from executor.kubernetes import settings as kubernetes
from executor.kubernetes.engine import KubernetesEngine
from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import Outcome, Progress, Result, RunSpec, Started

_FILES_OF_LIMITS = "/sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes"
_SERVICE = {
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "KUBERNETES_SERVICE_PORT_HTTPS",
    "KUBERNETES_PORT",
    "KUBERNETES_PORT_443_TCP",
    "KUBERNETES_PORT_443_TCP_PROTO",
    "KUBERNETES_PORT_443_TCP_PORT",
    "KUBERNETES_PORT_443_TCP_ADDR",
}
"""What every pod is told of the API server's address."""
_REPORTS = {"ERRAND_OUTPUTS", "ERRAND_SUMMARY", "ERRAND_PROGRESS"}
_FROM_A_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}

MAX_LOG = 256 * 1024


class EngineCase(Protocol):
    """One engine under test, with a log store of `MAX_LOG` bytes a log."""

    logs: LogStore

    @property
    def root(self) -> str:
        """Where the paths of a run's files begin."""
        ...

    @property
    def limits_memory(self) -> bool:
        """Whether it can limit the memory of a run here."""
        ...

    @property
    def out_of_memory(self) -> str:
        """The reason that it gives for a job that was ended at its limit."""
        ...

    @property
    def raise_limit(self) -> str:
        """Shell words that try to have more memory, and say `raised` if they can."""
        ...

    @property
    def variables(self) -> set[str]:
        """Names in a job's environment that are the engine's own."""
        ...

    @property
    def end_of_line(self) -> bytes:
        r"""What is kept of `\r\n`."""
        ...

    @property
    def first_words(self) -> str:
        """Words for printf that are seen as soon as they are written."""
        ...

    @property
    def may_lack_bash(self) -> bool:
        """Whether the image was given from outside, and may have no bash, which `setup` needs."""
        ...

    @property
    def engine(self) -> Engine: ...

    def take(self, size: int) -> str:
        """Give shell words that have `size` bytes of memory at once and print that number, or fail."""
        ...

    async def image(self) -> str | None:
        """Give an image that has sh, as `RunSpec.image`."""
        ...

    def watch_elsewhere(self, spec: RunSpec) -> "subprocess.Popen[bytes]":
        """Start a process with an engine of its own that runs `spec`; see `elsewhere.py`."""
        ...


@dataclass
class ProcessCase:
    """The process engine."""

    directory: Path
    logs: LogStore
    engine: ProcessEngine
    root: str = "."
    limits_memory: bool = sys.platform == "linux"
    out_of_memory: str = "OutOfMemory"
    raise_limit: str = "ulimit -d unlimited 2>/dev/null && echo raised"
    variables: set[str] = field(default_factory=lambda: {"PATH", "HOME", "LANG"} | _REPORTS)
    end_of_line: bytes = b"\r\n"
    first_words: str = "no newline"
    may_lack_bash: bool = False

    async def image(self) -> str | None:
        return None

    def take(self, size: int) -> str:
        return f"{sys.executable} -c 'print(len(bytearray({size})))'"

    def watch_elsewhere(self, spec: RunSpec) -> "subprocess.Popen[bytes]":
        return watch(["process", str(self.directory)], spec)


async def open_process_case(directory: Path) -> ProcessCase:
    logs = LogStore(directory / "logs", MAX_LOG)
    engine = ProcessEngine(directory / "work", logs)
    await engine.open()
    return ProcessCase(directory, logs, engine)


@dataclass
class ContainerCase:
    """The container engine, which is asked for containers of `base`."""

    directory: Path
    logs: LogStore
    engine: ContainerEngine
    settings: Settings
    base: str
    root: str = ""
    limits_memory: bool = True
    out_of_memory: str = "OOMKilled"
    raise_limit: str = f"for f in {_FILES_OF_LIMITS}; do (echo 1G > $f) 2>/dev/null && echo raised; done"
    variables: set[str] = field(
        default_factory=lambda: {"PATH", "HOME", "HOSTNAME", "TERM", "container"} | _FROM_A_SHELL | _REPORTS
    )
    end_of_line: bytes = b"\r\n"
    first_words: str = "no newline"
    may_lack_bash: bool = False

    async def image(self) -> str | None:
        return self.base

    def take(self, size: int) -> str:
        return _tail(size)

    def watch_elsewhere(self, spec: RunSpec) -> "subprocess.Popen[bytes]":
        return watch(["container", json.dumps([str(self.directory), asdict(self.settings), self.base])], spec)


async def open_container_case(directory: Path, settings: Settings, base: str) -> ContainerCase:
    logs = LogStore(directory / "logs", MAX_LOG)
    engine = ContainerEngine(settings, directory / "work", logs)
    await engine.open()
    return ContainerCase(directory, logs, engine, settings, base)


@dataclass
class KubernetesCase:
    """The Kubernetes engine, which is asked for pods of `base`."""

    directory: Path
    logs: LogStore
    engine: KubernetesEngine
    settings: kubernetes.Settings
    base: str
    root: str = ""
    limits_memory: bool = True
    out_of_memory: str = "OOMKilled"
    raise_limit: str = f"for f in {_FILES_OF_LIMITS}; do (echo 1G > $f) 2>/dev/null && echo raised; done"
    variables: set[str] = field(
        default_factory=lambda: {"PATH", "HOME", "HOSTNAME"} | _SERVICE | _FROM_A_SHELL | _REPORTS
    )
    end_of_line: bytes = b"\n"  # runtimes leave the other out before any client sees it
    first_words: str = (
        "a line\\n"  # runtimes give lines, and what has no end only when it is long or the last
    )
    may_lack_bash: bool = False

    async def image(self) -> str | None:
        return self.base

    def take(self, size: int) -> str:
        return _tail(size)

    def watch_elsewhere(self, spec: RunSpec) -> "subprocess.Popen[bytes]":
        which = json.dumps([str(self.directory), asdict(self.settings), self.base])
        return watch(["kubernetes", which], spec)


async def open_kubernetes_case(directory: Path, settings: kubernetes.Settings, base: str) -> KubernetesCase:
    logs = LogStore(directory / "logs", MAX_LOG)
    engine = KubernetesEngine(settings, logs)
    await engine.open()
    return KubernetesCase(directory, logs, engine, settings, base)


def watch(which: list[str], spec: RunSpec) -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("elsewhere.py")
    fields: dict[str, Any] = asdict(spec) | {"env": dict(spec.env), "secrets": []}
    return subprocess.Popen(
        [sys.executable, str(script), *which, json.dumps(fields)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def _tail(size: int) -> str:
    # What busybox's tail keeps grows until its input has ended.
    return f"head -c {size} /dev/zero | tail -c {size} | wc -c | grep -x {size}"


def sh(key: str, script: str, **more: Any) -> RunSpec:
    """Give a run of a shell script; `grace` is short unless given."""
    return RunSpec(key, ("sh", "-c", script), **{"grace": 0.3, "timeout": 60.0} | more)


async def ended(progress: AsyncIterator[Progress]) -> Outcome:
    """Give the one outcome, which must be the last thing said."""
    said = [item async for item in progress]
    assert [item for item in said if isinstance(item, Outcome)] == said[-1:]
    assert isinstance(said[-1], Outcome)
    return said[-1]


async def need_bash(case: EngineCase) -> None:
    """Skip the test if the image that the tests were given has no bash."""
    if case.may_lack_bash:
        looking = sh("has-bash", "command -v bash", image=await case.image())
        if (await ended(case.engine.run(looking))).result is not Result.SUCCEEDED:
            pytest.skip("ERRAND_TEST_IMAGE has no bash, which setup needs")


async def started(progress: AsyncIterator[Progress]) -> Started:
    """Give the start, leaving the rest of what is said."""
    async for item in progress:
        if isinstance(item, Started):
            return item
    raise AssertionError("it never started")


async def text(logs: LogStore, key: str) -> str:
    """Give the whole of an ended log."""
    return b"".join([chunk.data async for chunk in logs.read(key, follow=True)]).decode()


async def seen(logs: LogStore, key: str, words: bytes) -> None:
    """Wait until the log says `words`."""
    data = b""
    async for chunk in logs.read(key, follow=True):
        data += chunk.data
        if words in data:
            return
    raise AssertionError(f"{words!r} never came, but {data!r}")


async def vanish(marker: str) -> None:
    """Wait until no process has `marker` in its arguments: one that was killed takes a moment to go."""
    async with asyncio.timeout(PATIENCE):
        while processes(marker):  # noqa: ASYNC110  # nothing tells the end of another's process
            await asyncio.sleep(0.01)


def files_with(directory: Path, words: str) -> list[Path]:
    """Give the files below `directory` that have `words` in them."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if words.encode() in path.read_bytes()]


def processes(marker: str) -> list[str]:
    """Give the processes of this machine whose arguments have `marker`."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if marker in line and "/tests/" not in line]
