"""The side of the server that has containers started: one `Sandbox` a pod, each with a shim of its own."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.kubernetes.container import Program

_LARGE = 64 * 1024
"""Bytes of an order above which it goes by a file: what fits into a socket has a limit."""
_MOST = 1 << 16


class StartRefused(Exception):
    """A container's program could not be started, in the runtime's words."""


@dataclass(frozen=True)
class Process:
    """A container's process: its number on this machine, and its exit code once all of it is gone."""

    pid: int
    ended: "asyncio.Future[int]"


class Machine:
    """The process that forks shims; everything it started is killed when it closes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._numbers = count()
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            self._orders = here
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kubernetes.shim"], stdin=there, cwd=Path(__file__).parents[2]
            )

    def sandbox(self, *, pauses: bool) -> "Sandbox":
        """Begin a pod; with `pauses` PID 1 is a pause, else each container has its own PID 1."""
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            socket.send_fds(self._orders, [b"pause" if pauses else b"alone"], [there.fileno()])
        return Sandbox(here, self._directory / f"order-{next(self._numbers)}")

    def close(self) -> None:
        """End the process that forks; the pods are closed by whoever has them."""
        self._orders.close()
        self._process.wait()


class Sandbox:
    """One pod's processes."""

    def __init__(self, orders: socket.socket, file: Path) -> None:
        self._orders = orders
        self._file = file
        self._started: dict[str, asyncio.Future[int]] = {}
        self._ended: dict[str, asyncio.Future[int]] = {}
        self._numbers = count()
        orders.setblocking(False)
        asyncio.get_running_loop().add_reader(orders, self._hear)

    async def start(self, name: str, program: Program, output: tuple[int, int]) -> Process:
        """Start a container; raises StartRefused."""
        loop = asyncio.get_running_loop()
        self._ended[name] = loop.create_future()
        self._started[name] = loop.create_future()
        order: dict[str, Any] = {"do": "start", "name": name, "program": asdict(program)}
        data = json.dumps(order).encode()
        if len(data) > _LARGE:
            self._file.write_text(json.dumps(order.pop("program")))
            data = json.dumps(order | {"file": str(self._file)}).encode()
        socket.send_fds(self._orders, [data], list(output))
        return Process(await self._started[name], self._ended[name])

    async def execute(self, container: str, words: tuple[str, ...], env: dict[str, str]) -> int:
        """Run a program in a container; gives its exit code."""
        name = f"{container}!{next(self._numbers)}"
        self._ended[name] = asyncio.get_running_loop().create_future()
        self._say({"do": "exec", "name": name, "container": container, "words": words, "env": env})
        return await self._ended[name]

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a container's first process."""
        self._say({"do": "signal", "name": name, "signal": int(number)})

    def close(self) -> None:
        """Kill all that is left."""
        if self._orders.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._orders)
            self._orders.close()
        self._file.unlink(missing_ok=True)
        for waiting in (*self._started.values(), *self._ended.values()):
            waiting.cancel()

    def _say(self, order: dict[str, Any]) -> None:
        self._orders.send(json.dumps(order).encode())

    def _hear(self) -> None:
        try:
            data = self._orders.recv(_MOST)
        except BlockingIOError:
            return
        if not data:
            self.close()
            return
        said = json.loads(data)
        name = said["name"]
        if "refused" in said:
            self._started.pop(name).set_exception(StartRefused(said["refused"]))
        elif "pid" in said:
            self._started[name].set_result(said["pid"])
        elif not (ended := self._ended[name]).done():
            ended.set_result(said["code"])


def is_able() -> bool:
    """Whether namespaces can be made here."""
    if os.getuid() != 0:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0
