"""Fetching over HTTP with a token: who gets it, and where it is never seen."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from executor.logs.store import LogStore
from executor.process import ProcessEngine
from executor.spec import BuildSpec, Outcome, Result, Secret, Source
from tests.contract.cases import ended, files_with, text
from tests.executor.checkout.test_builder import Repository

TOKEN = "ghs_0123456789abcdefSECRET"


class Host(ThreadingHTTPServer):
    """Serves a directory of repositories by `git http-backend`, to who knows the token."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.redirect_to: str | None = None
        self.open = False
        self.authorizations: list[str | None] = []
        self.arguments: list[str] = []  # of all processes, while a request is answered
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,))
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Host

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def answer(self) -> None:
        host, given = self.server, self.headers.get("Authorization")
        host.authorizations.append(given)
        listed = subprocess.run(
            ["ps", "-A", "-ww", "-o", "args="], capture_output=True, text=True, check=True
        )
        host.arguments += listed.stdout.splitlines()
        wanted = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        if host.redirect_to or self.path.startswith("/acme/old/"):
            self.send_response(302)
            self.send_header("Location", (host.redirect_to or "") + self.path.replace("/old/", "/shop/"))
            self.end_headers()
        elif not host.open and given != f"Basic {wanted}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
        else:
            self.backend()

    def backend(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
        }
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    served = Host(tmp_path / "served")
    yield served
    served.stop()


@pytest.fixture
def commit(tmp_path: Path) -> str:
    (tmp_path / "served" / "acme").mkdir(parents=True)
    return Repository(tmp_path / "served" / "acme" / "shop").commit(file="x")


async def build(
    engine: ProcessEngine, url: str, commit: str, token: str | None, setup: str | None = None
) -> Outcome:
    secret = Secret(token) if token else None
    return await ended(
        engine.build(BuildSpec("build-1", "shop", Source("acme/shop", url, commit, secret), setup))
    )


async def test_token_is_given_to_its_host_and_seen_nowhere(
    engine: ProcessEngine, logs: LogStore, host: Host, commit: str, tmp_path: Path
) -> None:
    outcome = await build(engine, f"{host.url}/acme/shop", commit, TOKEN, setup="env; ps -A -ww -o args=")
    assert host.authorizations[0] is None
    assert host.authorizations[-1]
    assert any("git-remote-http" in line for line in host.arguments)
    log = await text(logs, "build-1")
    forms = [
        TOKEN,
        *(base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()[at : at + 24] for at in (20, 24)),
    ]
    for form in forms:
        assert not [line for line in host.arguments if form in line]
        assert form not in log
        assert files_with(tmp_path, form) == []
    assert "***" not in log  # it was not even there to be masked
    assert outcome.result is Result.SUCCEEDED


async def test_token_for_another_origin_s_repository_is_not_given_after_a_redirect(
    engine: ProcessEngine, logs: LogStore, host: Host, commit: str, tmp_path: Path
) -> None:
    other = Host(tmp_path / "served")
    try:
        host.redirect_to = other.url
        outcome = await build(engine, f"{host.url}/acme/shop", commit, TOKEN)
        assert (outcome.result, outcome.reason) == (Result.ERROR, "FetchFailed")
        assert other.authorizations
        assert set(other.authorizations) == {None}
    finally:
        other.stop()


async def test_repository_that_was_moved_on_its_host_is_found(
    engine: ProcessEngine, host: Host, commit: str
) -> None:
    outcome = await build(engine, f"{host.url}/acme/old", commit, TOKEN)
    assert outcome.result is Result.SUCCEEDED


async def test_wrong_token_is_a_failed_fetch_that_does_not_show_it(
    engine: ProcessEngine, logs: LogStore, host: Host, commit: str
) -> None:
    outcome = await build(engine, f"{host.url}/acme/shop", commit, "wrong-token")
    assert (outcome.result, outcome.reason) == (Result.ERROR, "FetchFailed")
    assert "Authentication failed" in (outcome.message or "")
    assert "wrong-token" not in (outcome.message or "") + await text(logs, "build-1")


async def test_password_in_the_url_is_taken_out_of_it(
    engine: ProcessEngine, logs: LogStore, host: Host, commit: str
) -> None:
    url = f"{host.url}/acme/shop".replace("://", f"://x-access-token:{TOKEN}@")
    outcome = await build(engine, url, commit, None)
    assert outcome.result is Result.SUCCEEDED
    assert not [line for line in host.arguments if TOKEN in line]
    assert TOKEN not in await text(logs, "build-1")


async def test_public_repository_needs_no_token(engine: ProcessEngine, host: Host, commit: str) -> None:
    host.open = True
    assert (await build(engine, f"{host.url}/acme/shop", commit, None)).result is Result.SUCCEEDED
    assert set(host.authorizations) == {None}
