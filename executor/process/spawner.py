"""This process's end of the fork server, which is started when first needed and again if it dies."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from executor import descriptors, supervisor
from executor.errors import EngineUnavailable

_SERVER = [sys.executable, "-I", "-S", str(Path(supervisor.__file__).with_name("forkserver.py"))]
_LEAVING = 5.0
"""Seconds that the fork server has to end by itself."""


class Spawner:
    """Asks the fork server for supervisors. Every method blocks shortly and is for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The fork server's, if it was started."""
        return self._server.pid if self._server else None

    def start(self, request: bytes) -> int:
        """Have a supervisor forked; give the reading end of the pipe that it wakes and keeps open.

        Raises EngineUnavailable. If the fork server dies before it forks, the pipe just ends.
        """
        with self._lock:
            for _ in range(2):
                channel = self._channel or self._launch()
                reading, writing = os.pipe()
                try:
                    self._send(channel, request, writing)
                except OSError:  # it died since
                    os.close(reading)
                    self._drop()
                else:
                    os.set_blocking(reading, False)
                    return reading
                finally:
                    os.close(writing)
        raise EngineUnavailable("the fork server dies when it is started")

    def close(self) -> None:
        """End the fork server; supervisors go on."""
        with self._lock:
            self._drop()

    def _send(self, channel: socket.socket, request: bytes, writing: int) -> None:
        sent = socket.send_fds(channel, [request], [writing])
        channel.sendall(memoryview(request)[sent:])

    def _launch(self) -> socket.socket:
        here, there = socket.socketpair()
        limit = descriptors.before()
        # A Python that was found with the help of this variable does not start without it.
        env = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
        try:
            self._server = subprocess.Popen(
                [*_SERVER, *([] if limit is None else [str(limit)])],
                stdin=there.fileno(),
                stdout=subprocess.DEVNULL,
                env=env,
                start_new_session=True,  # so that Ctrl-C is for Errand alone
            )
        except OSError as problem:
            here.close()
            raise EngineUnavailable(f"the fork server cannot be started: {problem}") from problem
        finally:
            there.close()
        self._channel = here
        return here

    def _drop(self) -> None:
        if self._channel:
            self._channel.close()
        if self._server:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_LEAVING)
            if self._server.poll() is None:
                self._server.kill()
                self._server.wait()
        self._channel = self._server = None
