"""Starts the processes of containers: one process forks a shim for every pod, and that the containers.

A shim holds the pod's process namespace: its PID 1 is a pause that only reaps, unless containers are to be
PID 1 themselves. It is told what to do on a socket, one JSON object a message, with the descriptors of the
output beside it, and answers in the same way. When the socket closes all of the pod is killed.
"""

import json
import os
import selectors
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kubernetes import system
from tests.kubernetes.container import Mount, Program, become, enter, execute

_MOST = 1 << 20
EXEC_FAILED = 126


def main() -> None:
    """Fork a shim for every socket that comes on standard input; end when that closes."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = socket.socket(fileno=0)
    while True:
        data, descriptors, _, _ = socket.recv_fds(orders, 16, 1)
        if not data:
            return
        if os.fork() == 0:
            orders.close()
            _leave(_shim, socket.socket(fileno=descriptors[0]), data == b"pause")
        os.close(descriptors[0])


def _leave(work: Any, *arguments: Any) -> None:
    """Do `work` in this forked process and end it, whatever happens."""
    try:
        work(*arguments)
        os._exit(0)
    except BaseException:  # there is nobody above who could be told
        import traceback

        traceback.print_exc()
        os._exit(1)


def _shim(orders: socket.socket, pauses: bool) -> None:
    Shim(orders, pauses).serve()


class Shim:
    """All containers of one pod."""

    def __init__(self, orders: socket.socket, pauses: bool) -> None:
        self._orders = orders
        self._pauses = pauses
        self._names: dict[int, str] = {}
        self._mounts: dict[str, tuple[str | None, int]] = {}
        self._pause: int | None = None
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY)

    def serve(self) -> None:
        """Do what is told until the socket closes."""
        woken, wakes = os.pipe()
        os.set_blocking(wakes, False)
        os.set_blocking(woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._orders, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if woken in ready:
                    with suppress(BlockingIOError):
                        os.read(woken, 4096)
                    self._reap()
                if self._orders.fileno() in ready and not self._obey():
                    break
        for pid in [*self._names, *([self._pause] if self._pause else [])]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _obey(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._orders, _MOST, 2)
        if not data:
            return False
        order = json.loads(data)
        match order["do"]:
            case "start":
                self._start(order, descriptors)
            case "exec":
                self._execute(order)
            case "signal":
                self._signal(order["name"], order["signal"])
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _start(self, order: dict[str, Any], output: list[int]) -> None:
        fields = order["program"] if "program" in order else json.loads(Path(order["file"]).read_bytes())
        mounts = tuple(Mount(**item) for item in fields.pop("mounts"))
        lists = {name: tuple(fields.pop(name)) for name in ("words", "groups", "cgroups")}
        fields |= lists
        program = Program(**fields, mounts=mounts)
        # Without one of its own, a job that signals every process would mean those of this machine.
        if os.getuid() == 0:
            self._begin_namespace()
        told, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            _leave(_begin, program, output, tells)
        os.close(tells)
        with os.fdopen(told, "rb") as words:
            refused = words.read().decode()
        if refused:
            os.waitpid(pid, 0)
            self._say(name=order["name"], refused=refused)
            return
        self._names[pid] = order["name"]
        with suppress(OSError):
            self._mounts[order["name"]] = (program.root, os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY))
        self._say(name=order["name"], pid=pid)

    def _begin_namespace(self) -> None:
        if self._pause is not None:
            return
        system.setns(self._own, system.NEW_PID)
        system.unshare(system.NEW_PID)
        if not self._pauses:
            return
        self._pause = os.fork()
        if self._pause == 0:
            _leave(_wait_and_reap, self._orders)

    def _end_namespace(self) -> None:
        """Kill what the last container left; the wait ends when all of it is gone."""
        if self._pause is not None:
            os.kill(self._pause, signal.SIGKILL)
            # It ends after all the others, which include hooks: these have to be waited for too.
            while (ended := os.waitpid(-1, 0))[0] != self._pause:
                self._tell(*ended)
            self._pause = None

    def _execute(self, order: dict[str, Any]) -> None:
        root, mounts = self._mounts[order["container"]]
        if root is None:
            # A container without a file system of its own gets no hooks: one that signals every process must
            # not be able to mean those of this machine, whatever went wrong with the namespace.
            self._say(name=order["name"], code=EXEC_FAILED)
            return
        pid = os.fork()
        if pid == 0:
            _leave(_begin_in, root, mounts, tuple(order["words"]), order["env"])
        self._names[pid] = order["name"]

    def _signal(self, name: str, number: int) -> None:
        for pid, known in self._names.items():
            if known == name:
                os.kill(pid, number)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._tell(pid, status)

    def _tell(self, pid: int, status: int) -> None:
        """Say how a process ended, after all that its container left has."""
        name = self._names.pop(pid, None)
        if name is None:
            return
        # Hooks end with the last container; their names have this in them.
        if "!" not in name and all("!" in known for known in self._names.values()):
            self._end_namespace()
        code = os.waitstatus_to_exitcode(status)
        self._say(name=name, code=code if code >= 0 else 128 - code)

    def _say(self, **what: object) -> None:
        with suppress(OSError):
            self._orders.sendall(json.dumps(what).encode())


def _begin(program: Program, output: list[int], tells: int) -> None:
    os.set_inheritable(tells, False)
    os.setsid()
    empty = os.open("/dev/null", os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(output[0], 1)
    os.dup2(output[1], 2)
    _forget()
    os.closerange(3, tells)
    os.closerange(tells + 1, tells + 256)
    try:
        become(program)
    except (OSError, ValueError) as problem:
        os.write(tells, str(problem.args[-1]).encode())
        os._exit(1)


def _begin_in(root: str | None, mounts: int, words: tuple[str, ...], env: dict[str, str]) -> None:
    os.setsid()
    _forget()
    empty = os.open("/dev/null", os.O_RDWR)
    for descriptor in range(3):
        os.dup2(empty, descriptor)
    try:
        if root is not None:
            enter(root, mounts)
        execute(words, env)
    except OSError:
        os._exit(EXEC_FAILED)


def _wait_and_reap(orders: socket.socket) -> None:
    orders.close()
    os.closerange(0, 256)
    _forget()
    system.die_with_parent(signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        signal.sigwaitinfo({signal.SIGCHLD})


def _forget() -> None:
    """Leave what the shim set for its own signals."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


if __name__ == "__main__":
    main()
