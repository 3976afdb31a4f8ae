"""`timeout` of the GitHub Action is kept to the second, whatever it waits for when time is up."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ACTION = Path(__file__).parents[1] / "deploy" / "action"
SLACK_S = 0.9
"""Seconds that starting programs may take on a machine that has other things to do."""

RUN = {"number": 1, "state": "running", "result": None, "exit_code": None, "url": "http://errand/runs/1"}


@dataclass
class Service:
    """Errand, GitHub's tokens included, as it answers each path: with what, or not at all (None)."""

    url: str = ""
    answers: dict[str, tuple[int, dict[str, object]] | None] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def answer(self, path: str) -> tuple[int, dict[str, object]] | None:
        """What `path` gets now."""
        self.asked.append((path, time.monotonic()))
        return self.answers.get(path.partition("?")[0], (404, {"detail": "There is no such thing."}))

    def when(self, path: str) -> float:
        """When `path` was asked for first."""
        return next(at for asked, at in self.asked if asked.startswith(path))


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that starts the run, and says nothing of it."""
    made = Service()
    made.answers = {
        "/api/jobs/deploy/start": (201, {**RUN}),
        "/api/runs/1/logs": None,
        "/api/runs/1": (200, {**RUN}),
        "/api/runs/1/cancel": (200, {**RUN, "state": "stopping"}),
        "/token": (200, {"value": "signed"}),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = made.answer(self.path)
            if answer is None:
                made.over.wait(60)
                return
            body = json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    made.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def step(url: str, directory: Path, **environ: str) -> tuple[int, float, float]:
    """Runs the action with `timeout: 2s`: its exit code, when it began and when it ended."""
    inputs = {"URL": url, "JOB": "deploy", "WAIT": "true", "TIMEOUT": "2s", "TOKEN": "secret"}
    given = {f"INPUT_{name}": text for name, text in inputs.items()}
    time.sleep((1.75 - time.time() % 1) % 1)  # late in a second of the clock: whole ones are counted wrong
    began = time.monotonic()
    done = subprocess.run(
        ["bash", str(ACTION / "errand.sh")],
        env={"PATH": os.environ["PATH"], "RUNNER_TEMP": str(directory), **given, **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return done.returncode, began, time.monotonic()


def test_run_is_cancelled_when_time_is_up_though_nothing_is_said(service: Service, tmp_path: Path) -> None:
    code, began, _ = step(service.url, tmp_path)
    assert code == 124
    assert 2.0 <= service.when("/api/runs/1/cancel") - began <= 2.0 + SLACK_S


def test_service_that_is_away_is_waited_for_until_time_is_up(tmp_path: Path) -> None:
    code, began, ended = step("http://127.0.0.1:1", tmp_path)
    assert code == 1
    assert 2.0 <= ended - began <= 2.0 + SLACK_S


def test_time_is_up_while_github_is_asked_for_another_token(service: Service, tmp_path: Path) -> None:
    service.answers["/api/runs/1/logs"] = (401, {"detail": "This token has ended."})
    real = service.answer

    def answer(path: str) -> tuple[int, dict[str, object]] | None:
        if path.startswith("/api/runs/1/logs"):
            service.answers["/token"] = None
        if path.startswith("/api/runs/1/cancel"):
            raise AssertionError("there is no token to cancel with")
        return real(path)

    service.answer = answer  # type: ignore[method-assign]
    github = {
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{service.url}/token?a=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t",
    }
    code, began, ended = step(service.url, tmp_path, INPUT_TOKEN="", **github)
    assert code == 124
    assert ended - began <= 2.0 + 4.0 + SLACK_S  # the cancel that is tried then has four seconds


def test_answers_that_never_come_end_with_the_time(service: Service, tmp_path: Path) -> None:
    service.answers["/api/jobs/deploy/start"] = None
    code, began, ended = step(service.url, tmp_path)
    assert code == 1
    assert 2.0 <= ended - began <= 2.0 + SLACK_S
