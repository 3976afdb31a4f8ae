"""The moments before a run is known: commands are loaded, and a start is under way."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from demo.watched import PATIENCE
from tests.flows.cli.beside import ERRAND, ROOT, environ

INTERRUPTED = """\
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "terminal.app":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
import errand
errand.main()
"""


def test_interrupt_while_commands_are_loaded_gives_no_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED],
        cwd=ROOT,
        env=environ(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


class Answers(ThreadingHTTPServer):
    """Keeps the keys that starts came with; the first is answered as a proxy does, or not at all."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.silent = silent
        self.keys: list[str] = []
        self.asked, self.over = threading.Event(), threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_POST(self) -> None:
        self.server.keys.append(self.headers["Idempotency-Key"])
        self.server.asked.set()
        if self.server.silent:
            self.server.over.wait(PATIENCE)
            return
        content = json.dumps(
            {"job": "hello", "number": 1, "url": "https://errand.example.com/runs/1"}
        ).encode()
        self.send_response(504 if len(self.server.keys) == 1 else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def starting(home: Path, *, silent: bool) -> Iterator[tuple[Answers, subprocess.Popen[str]]]:
    """`errand run hello` beside a server that answers so."""
    with Answers(silent=silent) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        more = {"ERRAND_URL": f"http://127.0.0.1:{server.server_port}", "ERRAND_TOKEN": "errand_x"}
        with subprocess.Popen(
            [*ERRAND, "run", "hello"],
            cwd=home,
            env=environ(home, more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield server, process
        server.over.set()
        server.shutdown()
        serving.join()


def test_interrupted_start_says_that_it_may_have_been_one(tmp_path: Path) -> None:
    with starting(tmp_path, silent=True) as (server, process):
        assert server.asked.wait(PATIENCE)
        os.kill(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (
        130,
        "It may have been started all the same; `errand runs` shows it then.\n",
    )


def test_start_whose_answer_a_proxy_lost_is_asked_for_with_the_same_key(tmp_path: Path) -> None:
    with starting(tmp_path, silent=False) as (server, process):
        shown, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, shown) == (0, "https://errand.example.com/runs/1\n"), told
    assert len(server.keys) == 2
    assert len(set(server.keys)) == 1
