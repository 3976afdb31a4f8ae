"""Databases for tests: SQLite in a directory of its own, PostgreSQL in a throwaway server."""

import gc
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import structlog

from bot.store import Store
from demo.github import GitHubStandIn
from tests import databases, description, forkserver, measuring, slack_types
from tests.kubernetes.cluster import cluster
from tests.kubernetes.serving import kubernetes_server
from tests.podman import podman, podman_socket

__all__ = ["cluster", "kubernetes_server", "podman", "podman_socket"]


def pytest_configure(config: pytest.Config) -> None:
    """Let what the tests start hear Ctrl-C: a shell has whatever it starts in the background ignore that.

    And let every stand-in for GitHub check what it is sent, and hold what those for Slack were sent against
    Slack's types at the end.
    """
    GitHubStandIn.describe = staticmethod(description.check)
    # The default draws the variables of every frame of a traceback, for seconds each.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    config.pluginmanager.register(slack_types.AtTheEnd(), "slack-types")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded stays: it is not looked through for what could go, neither now nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure coverage, but not of what others measure as well."""
    with nullcontext() if measuring.is_measured(item) else measuring.unmeasured():
        return (yield)


def pytest_unconfigure() -> None:
    """End the process that starts others; it would end with this one, a little later."""
    forkserver.SERVER.close()


@pytest.fixture(autouse=True)
def as_github_describes() -> Iterator[None]:
    """Nothing was sent to a stand-in for GitHub that GitHub's published description refuses."""
    GitHubStandIn.misfits.clear()
    yield
    assert GitHubStandIn.misfits == []


def server_programs() -> Path | None:
    """The directory of PostgreSQL's server programs: on PATH, as pg_config says, or Debian's own place."""
    places = [shutil.which("postgres")]
    if shutil.which("pg_config"):
        said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=False)
        places.append(f"{said.stdout.strip()}/postgres")
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    places += [str(path) for path in reversed(newest)]
    for place in places:
        if place and Path(place).resolve().with_name("initdb").exists():
            return Path(place).resolve().parent
    return None


def _somebody() -> str | None:
    """Whom to run the server as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


class Server:
    """A PostgreSQL server on a loopback port, without durability, that goes away with its directory."""

    def __init__(self, binaries: Path, directory: Path) -> None:
        self._binaries = binaries
        self._directory = directory
        self._user = _somebody()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def start(self) -> None:
        if self._user:
            shutil.chown(self._directory, self._user)
        data = str(self._directory / "data")
        self._run("initdb", "-D", data, "-U", "errand", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = (
            f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories= "
            "-c fsync=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB"
        )
        self._run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", f"{data}/log", "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-m", "immediate", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._binaries / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
            user=self._user,
            extra_groups=[] if self._user else None,
        )


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """One server for all tests of a process; skipped without the programs, an error in CI."""
    binaries = server_programs()
    if binaries is None:
        reason = "PostgreSQL's server programs are not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI must have them")
        pytest.skip(reason)
    # Not pytest's own directory: the server's user may not enter that.
    with tempfile.TemporaryDirectory(prefix="errand-postgres-", ignore_cleanup_errors=True) as directory:
        server = Server(binaries, Path(directory))
        server.start()
        yield server
        server.stop()


@contextmanager
def _database(port: int, template: str = "") -> Iterator[str]:
    """A PostgreSQL database of its own, with what `template` has."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(
        host="127.0.0.1", port=port, user="errand", dbname="postgres", autocommit=True
    ) as connection:
        connection.execute(f"CREATE DATABASE {name} {template and f'TEMPLATE {template}'}")
        yield f"postgresql://errand@127.0.0.1:{port}/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def _migrated(postgres_server: Server) -> Iterator[str]:
    """The name of a PostgreSQL database with today's schema, to be copied."""
    with _database(postgres_server.port) as url:
        databases.migrate(url)
        yield url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: Server, _migrated: str) -> Iterator[str]:
    """A PostgreSQL database of its own, with today's schema."""
    with _database(postgres_server.port, _migrated) as url:
        yield url


@pytest.fixture
def empty_postgres_url(postgres_server: Server) -> Iterator[str]:
    """An empty PostgreSQL database of its own."""
    with _database(postgres_server.port) as url:
        yield url


_EITHER = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=_EITHER)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of a database with today's schema, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return databases.sqlite(tmp_path / "errand.db")
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=_EITHER)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The url of an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'errand.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a database of its own, once on SQLite and once on PostgreSQL."""
    async with await Store.open(database_url, owner="one", given_clock=True) as opened:
        yield opened
