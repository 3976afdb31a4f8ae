"""Runs `errand` beside a served one: as a program with pipes, and in a terminal of its own."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.watched import PATIENCE
from tests.forkserver import SERVER, Forked
from tests.measuring import without_coverage

ROOT = Path(__file__).parents[3]
ERRAND = [sys.executable, str(ROOT / "errand.py")]


def environ(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a shell gives, and nothing of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "LANG": "C.UTF-8", "HOME": str(home), "TZ": "UTC"} | dict(more or {})


@dataclass
class Served:
    """A service in `home`; what is typed beside it finds it there."""

    home: Path
    process: Forked | None = None
    more: dict[str, str] = field(default_factory=dict)
    terminals: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, *words: str, typed: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """`errand WORDS` to its end, with pipes."""
        environment = environ(self.home, self.more | more)
        return SERVER.run([*ERRAND[1:], *words], self.home, environment, typed=typed, seconds=PATIENCE)

    def start(self) -> None:
        """Serve, at first or after `end`."""
        with (self.home / "serve.log").open("a") as log, open(os.devnull) as null:
            streams = (null.fileno(), 1, log.fileno())
            command = [*ERRAND[1:], "serve", "--port", "0"]
            environment = without_coverage(environ(self.home, self.more))
            process = SERVER.fork(command, self.home, environment, streams)
        self.process = process
        until(lambda: (self.home / "errand.db.door").exists() or process.poll() is not None)
        assert process.poll() is None, (self.home / "serve.log").read_text()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the service."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=PATIENCE)

    def close(self) -> None:
        """End everything that was started here."""
        for process in self.terminals:
            if process.poll() is None:
                process.kill()
            process.wait(timeout=PATIENCE)
        self.end()


@contextmanager
def served(home: Path, more: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A service with the app.yaml in `home`; `more` of an environment is for it and for what is typed."""
    made = Served(home, more=dict(more or {}))
    try:
        made.start()
        yield made
    finally:
        made.close()


def until(holds: object) -> None:
    """Wait until `holds()`."""
    assert callable(holds)
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


class Terminal:
    """`errand WORDS` in a terminal of 80 columns; `text` is all that it has shown."""

    def __init__(
        self, errand: Served, *words: str, columns: int = 80, more: Mapping[str, str] | None = None
    ) -> None:
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, columns))
        self._leader = leader
        self.text = ""
        self.process = subprocess.Popen(
            [*ERRAND, *words],
            cwd=errand.home,
            env=environ(errand.home, {"TERM": "xterm-256color"} | errand.more | dict(more or {})),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        errand.terminals.append(self.process)
        os.close(follower)

    def see(self, words: str) -> None:
        """Read until `words` have been shown since the last time."""
        end, before = time.monotonic() + PATIENCE, len(self.text)
        while words not in self.text[before:]:
            assert time.monotonic() < end, self.text
            assert self._read() or words in self.text[before:], self.text

    def type(self, keys: str) -> None:
        """Type; Ctrl-C is `\\x03`."""
        os.write(self._leader, keys.encode())

    def close(self) -> None:
        """Close the window: whoever runs in it gets SIGHUP."""
        os.close(self._leader)

    def end(self) -> int:
        """The exit code, once it has ended and everything was read."""
        while self._read():
            pass
        os.close(self._leader)
        return self.process.wait(timeout=PATIENCE)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._leader], [], [], PATIENCE)
        if not ready:
            return False
        try:
            chunk = os.read(self._leader, 65536)
        except OSError:  # EIO: whoever had the other end is gone
            return False
        self.text += chunk.decode(errors="replace").replace("\r\n", "\n")
        return bool(chunk)


def _take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C becomes SIGINT."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
