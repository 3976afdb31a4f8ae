"""Starts Errand quickly: a process that has loaded its modules forks for every start.

Loading takes a second of processor time and a start of the service little else, so whoever starts it
many times over has one process load once. What is forked has arguments, environment, directory and
standard streams of its own, as if it had been started by `python errand.py`. Run as a program, this is
the server; it ends with its channel.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.measuring import without_coverage

ROOT = Path(__file__).parents[1]
_SIZE = 4


class Forked:
    """A process that was forked, with what the tests use of `subprocess.Popen`."""

    def __init__(self, told: int) -> None:
        self._told = told
        self._code: int | None = None
        self.pid = _number(os.read(told, _SIZE))

    def fileno(self) -> int:
        """Readable once it has ended."""
        return self._told

    def poll(self) -> int | None:
        """How it ended, None while it runs: the exit code, or the signal as a negative number."""
        if self._code is None and select.select([self._told], [], [], 0)[0]:
            self.wait()
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises `TimeoutError` when it does not come within so many seconds."""
        if self._code is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise TimeoutError(f"process {self.pid} goes on")
            self._code = _number(os.read(self._told, _SIZE))
            os.close(self._told)
        return self._code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is known to have ended."""
        if self._code is None:
            os.kill(self.pid, number)


class Service:
    """A forked service, with what `demo.installation` asks of a process."""

    def __init__(self, forked: Forked, stderr: asyncio.StreamReader) -> None:
        self._forked = forked
        self.pid = forked.pid
        self.stderr = stderr
        self._ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(forked, self._end)

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        return self._ended.result() if self._ended.done() else None

    def send_signal(self, number: int) -> None:
        """Send it a signal."""
        self._forked.send_signal(number)

    async def wait(self) -> int:
        """Wait for its end."""
        return int(await asyncio.shield(self._ended))

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._forked)
        self._ended.set_result(self._forked.wait())


class Forkserver:
    """The server, started when it is first asked."""

    def __init__(self) -> None:
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()

    def fork(
        self, command: Sequence[str], directory: Path, environ: Mapping[str, str], streams: Sequence[int]
    ) -> Forked:
        """Run a program of Python, `command` without the interpreter; `streams` are its 0, 1 and 2."""
        asked = {"command": list(command), "directory": str(directory), "environ": dict(environ)}
        body = json.dumps(asked).encode()
        told, telling = os.pipe()
        try:
            with self._asking:
                channel = self._channel or self._start()
                socket.send_fds(channel, [len(body).to_bytes(_SIZE, "big")], [*streams, telling])
                channel.sendall(body)
        finally:
            os.close(telling)
        return Forked(told)

    async def start(self, command: Sequence[str], directory: Path, environ: Mapping[str, str]) -> Service:
        """Run a program whose stderr is read here, and whose stdout is that of the tests."""
        reading, writing = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            forked = await asyncio.to_thread(self.fork, command, directory, environ, (null, 1, writing))
        finally:
            os.close(null)
            os.close(writing)
        stderr = asyncio.StreamReader(limit=1 << 20)
        protocol = asyncio.StreamReaderProtocol(stderr)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb"))
        return Service(forked, stderr)

    def run(
        self,
        command: Sequence[str],
        directory: Path,
        environ: Mapping[str, str],
        *,
        typed: str = "",
        seconds: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, as `subprocess.run` does with `capture_output`."""
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as errors,
        ):
            stdin.write(typed.encode())
            stdin.seek(0)
            forked = self.fork(command, directory, environ, [each.fileno() for each in (stdin, out, errors)])
            try:
                code = forked.wait(seconds)
            except TimeoutError:
                forked.send_signal(signal.SIGKILL)
                raise
            out.seek(0)
            errors.seek(0)
            said = [each.read().decode(errors="surrogateescape") for each in (out, errors)]
        return subprocess.CompletedProcess(list(command), code, *said)

    def _start(self) -> socket.socket:
        here, there = socket.socketpair()
        # What is loaded is measured by tests that load it themselves; what is forked measures itself.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.forkserver"],
            cwd=ROOT,
            env=without_coverage(os.environ) | {"LANG": "C.UTF-8"},
            stdin=there.fileno(),
        )
        there.close()
        self._channel = here
        return here

    def close(self) -> None:
        """End the server; what it has forked goes on."""
        if self._channel is not None and self._process is not None:
            self._channel.close()
            self._process.wait()
            self._channel = None


SERVER = Forkserver()
"""The one of this process."""


def main() -> None:
    """Fork for every request and tell of every end, until the channel ends; a fork goes on as the program."""
    _load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel = socket.socket(fileno=os.dup(0))
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    telling: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([channel.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 64)
            _tell_ends(telling)
            continue
        header, descriptors, _, _ = socket.recv_fds(channel, _SIZE, 4)
        if not header:
            return
        body = bytearray()
        while len(body) < _number(header):
            body += channel.recv(_number(header) - len(body))
        *streams, pipe = descriptors
        if (pid := os.fork()) == 0:
            signal.set_wakeup_fd(-1)
            for each in (channel.detach(), woken, waking, pipe, *telling.values()):
                os.close(each)
            _become(json.loads(body), streams)
            return
        for each in streams:
            os.close(each)
        telling[pid] = pipe
        os.write(pipe, pid.to_bytes(_SIZE, "big", signed=True))


def _tell_ends(telling: dict[int, int]) -> None:
    """Tell how those ended that did."""
    while telling:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        pipe = telling.pop(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody asks any more
            os.write(pipe, os.waitstatus_to_exitcode(status).to_bytes(_SIZE, "big", signed=True))
        os.close(pipe)


def _load() -> None:
    # All that `errand serve` loads sooner or later. None of it may start a thread: none survives a fork.
    for module in (
        "service",
        "terminal.app",
        "alembic.command",
        "coverage",
        "psycopg",
        "uvicorn.lifespan.off",
    ):
        importlib.import_module(module)
    importlib.import_module("uvloop")
    assert threading.active_count() == 1
    gc.collect()
    gc.freeze()


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Run the program as a Python that has just begun."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    time.tzset()
    sys.stdin = os.fdopen(0, errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = asked["command"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    importlib.import_module("coverage").process_startup()
    runpy.run_path(sys.argv[0], run_name="__main__")


def _number(data: bytes) -> int:
    if len(data) < _SIZE:
        raise EOFError("the process that starts others is gone")
    return int.from_bytes(data, "big", signed=True)


if __name__ == "__main__":
    main()
