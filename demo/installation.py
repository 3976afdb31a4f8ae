"""A whole Errand on this machine: the real service as a process of its own, between the two stand-ins.

The demo shows one to people; flow tests and benchmarks drive one. Deliveries go in over HTTP and
properly signed, as GitHub and Slack send them; everything that comes out is at the stand-ins.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, TypedDict, TypeVar

import httpx

from demo.arrivals import GITHUB_SECRET, PERSON, PULL, REPOSITORY, SECOND, SLACK_SECRET, SLACK_USER, Arrivals
from demo.standins import StandIns, standins
from demo.watched import PATIENCE

ROOT = Path(__file__).parents[1]
CHANNEL = "ops"
START_SECONDS = 30.0

T = TypeVar("T")
Event = dict[str, Any]

__all__ = [
    "CHANNEL",
    "GITHUB_SECRET",
    "PERSON",
    "PULL",
    "REPOSITORY",
    "ROOT",
    "SECOND",
    "SLACK_SECRET",
    "SLACK_USER",
    "Event",
    "Installation",
    "Process",
    "Where",
    "installation",
]


class Process(Protocol):
    """A service that was started, as `asyncio.subprocess` has it; `stderr` is its log."""

    pid: int
    stderr: asyncio.StreamReader | None

    @property
    def returncode(self) -> int | None:
        """How it ended; None while it runs."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send it a signal."""
        ...

    async def wait(self) -> int:
        """Wait for its end; gives the exit code."""
        ...


Start = Callable[[list[str], Path, Mapping[str, str]], Awaitable[Process]]
"""Starts the program of an argument list in a directory with an environment."""


async def start_process(command: list[str], directory: Path, environ: Mapping[str, str]) -> Process:
    """Start it with this Python."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=directory,
        env=environ,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )


class Where(TypedDict, total=False):
    """What an installation is made from: its app.yaml, what its repository holds, more environment.

    `program` is what serves, by the time of `clock`; without them it is Errand, by the time of the machine.
    `enterprise`: GitHub is an Enterprise Server.
    """

    config: Path
    sample: Path
    environ: Mapping[str, str]
    private: bool
    program: Path
    clock: Callable[[], float]
    enterprise: bool


class Installation(Arrivals):
    """One installation; `home` is its working directory and `events` what its log has said so far."""

    start_process: Start = staticmethod(start_process)

    def __init__(self, home: Path, beside: StandIns, *, config: Path, environ: Mapping[str, str]) -> None:
        self.home = home
        self.beside = beside
        self.config = config
        self.program = ROOT / "errand.py"
        self.clock: Callable[[], float] = time.time
        self.events: list[Event] = []
        self.on_event: Callable[[Event], None] = lambda event: None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        beside.github.client.callbacks = [f"{self.url}/login/github/callback"]
        self.environ = self._environ() | dict(environ)
        self.origin = home / "github" / f"{REPOSITORY}.git"
        # The service lets go of idle connections after five seconds: what is sent just then would be lost.
        limits = httpx.Limits(keepalive_expiry=2.0)
        self.client = httpx.AsyncClient(base_url=self.url, timeout=30.0, trust_env=False, limits=limits)
        self.reach_slack()
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()

    def _environ(self) -> dict[str, str]:
        github, slack = self.beside.github, self.beside.slack
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "ERRAND_URL": self.url,
            "ERRAND_HOME": str(self.home),
            "GITHUB_APP_ID": str(github.app_id),
            "GITHUB_PRIVATE_KEY": github.private_key,
            "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET,
            "GITHUB_CLIENT_ID": github.client.id,
            "GITHUB_CLIENT_SECRET": github.client.secret,
            "GITHUB_API_URL": self.beside.github_url,
            "GITHUB_ACTIONS_ISSUER": github.actions.issuer,
            "GITHUB_CLONE_URL": f"file://{self.home}/github/{{repository}}.git",
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": self.beside.slack_url,
        } | {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS")}

    # The service ----------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The process id of the running service."""
        if self._process is None:
            raise LookupError("the service does not run")
        return self._process.pid

    async def start(self) -> None:
        """Start the service; returns once it accepts connections."""
        command = self._command("serve", "--port", str(self.port), program=self.program)
        self._process = await self.start_process(command, self.home, self.environ)
        before = len(self.events)
        self._reading = asyncio.create_task(self._read(self._process))
        await self.wait_for(
            lambda: any(event.get("event") in ("serving", "exited") for event in self.events[before:]),
            START_SECONDS,
        )
        if self.events[-1].get("event") == "exited":
            raise RuntimeError("\n".join(str(event) for event in self.events[before:]))

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        return await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """SIGKILL, as a power cut or the kernel does it."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None or self._reading is None:
            return 0
        process, self._process = self._process, None
        if process.returncode is None:
            process.send_signal(number)
        code = await process.wait()
        await self._reading
        return code

    async def command(self, *arguments: str) -> str:
        """What `errand ARGUMENTS` prints, run beside the service."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._command(*arguments),
            cwd=self.home,
            env=self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, errors = await process.communicate()
        if process.returncode:
            raise RuntimeError(errors.decode())
        return output.decode().strip()

    def _command(self, *arguments: str, program: Path = ROOT / "errand.py") -> list[str]:
        return [str(program), *arguments, "--config", str(self.config)]

    async def _read(self, process: Process) -> None:
        if process.stderr is None:
            return
        async for line in process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {"event": "output", "text": line.decode(errors="replace").rstrip()}
            await self._note(event)
        await self._note({"event": "exited"})

    async def _note(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)
        async with self._changed:
            self._changed.notify_all()

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = PATIENCE) -> T:
        """What `predicate` gives once it is true; looked at after every line of the service's log."""
        async with asyncio.timeout(timeout), self._changed:
            while not (value := predicate()):
                await self._changed.wait()
            return value

    def has_logged(self, event: str, number: int) -> bool:
        """Whether the service's log has told this of run or build `number`."""
        return any(each.get("event") == event and each.get("number") == number for each in self.events)

    def ended(self, runs: Iterable[int]) -> bool:
        """Whether the service's log has told the end of all these runs."""
        return set(runs) <= {
            each.get("number") for each in self.events if each.get("event") == "run.finished"
        }

    async def get(self, path: str, *, token: str | None = None) -> httpx.Response:
        """Read a page or the API."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.client.get(path, headers=headers)

    async def token(self, name: str, *scopes: str) -> str:
        """A new API token, for reading unless `scopes` say more.

        Asked of the service where it left its door: that is quicker than to start a command.
        """
        door = self.home / "errand.db.door"
        if not door.exists():
            options = [word for scope in scopes for word in ("--scope", scope)]
            return await self.command("token", "create", name, *options)
        headers = {"authorization": f"Bearer {json.loads(door.read_text())['token']}"}
        request = {"name": name, "scopes": list(scopes or ["read"])}
        answer = await self.client.post("/api/tokens", json=request, headers=headers)
        answer.raise_for_status()
        text: str = answer.json()["token"]
        return text

    async def log_lines(self, number: int, token: str, of: str = "runs") -> AsyncGenerator[str, None]:
        """The log of a run, or `of` the `builds`, live, to its end; one that is on its way is waited for."""
        headers = {"authorization": f"Bearer {token}"}
        path = f"/api/{of}/{number}/logs?follow=1"
        while True:
            seen = len(self.events)
            async with self.client.stream("GET", path, headers=headers, timeout=120.0) as answer:
                if answer.status_code != HTTPStatus.NOT_FOUND:
                    answer.raise_for_status()
                    async for line in answer.aiter_lines():
                        yield line
                    return
            await self.wait_for(lambda seen=seen: len(self.events) > seen, 60)  # type: ignore[misc]

    # The repository -------------------------------------------------------------------------------

    async def commit(self, files: Mapping[str, str], *, branch: str = "main") -> str:
        """Commit files on top of `branch` (made where there is none) at GitHub; gives the full SHA."""
        work = self.home / "checkout"
        for name, text in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_text(text)
        await self._git(work, "add", "--all")
        await self._git(work, "commit", "--quiet", "--allow-empty", "--message", "A change")
        await self._git(work, "push", "--quiet", "--force", str(self.origin), f"HEAD:refs/heads/{branch}")
        return await self._git(work, "rev-parse", "HEAD")

    async def prepare(self, sample: Path, *, private: bool) -> str:
        """Make the repository of `sample` at the stand-in, with people and a pull request."""
        await asyncio.to_thread(shutil.copytree, sample, self.home / "checkout")
        await self._git(self.home, "init", "--quiet", "--bare", str(self.origin))
        await self._git(self.home, "init", "--quiet", "--initial-branch=main", "checkout")
        head = await self.commit({})
        github = self.beside.github
        github.add_repository(REPOSITORY, git=self.origin, private=private)
        github.add_person(REPOSITORY, PERSON, "write")
        github.add_person(REPOSITORY, SECOND, "write")
        github.add_pull(REPOSITORY, PULL, head, "main")
        self.beside.slack.add_channel(CHANNEL)
        return head

    async def _git(self, directory: Path, *arguments: str) -> str:
        who = {"GIT_AUTHOR_NAME": PERSON, "GIT_AUTHOR_EMAIL": f"{PERSON}@users.noreply.github.com"}
        who |= {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
        process = await asyncio.create_subprocess_exec(
            "git",
            *arguments,
            cwd=directory,
            env={
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                **who,
            },
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"git {arguments[0]} failed")
        return output.decode().strip()

    async def close(self) -> None:
        """End the service and let go of it."""
        await self.stop()
        await self.client.aclose()


@asynccontextmanager
async def installation(
    home: Path,
    *,
    config: Path = ROOT / "app.yaml",
    sample: Path = ROOT / "demo" / "repository",
    environ: Mapping[str, str] | None = None,
    private: bool = True,
    program: Path = ROOT / "errand.py",
    clock: Callable[[], float] = time.time,
    enterprise: bool = False,
) -> AsyncIterator[Installation]:
    """Stand-ins, a repository made from `sample` and the service with `config`, all running."""
    async with standins(clock=clock, enterprise=enterprise) as beside:
        made = Installation(home, beside, config=config, environ=environ or {})
        made.program, made.clock = program, clock
        await made.prepare(sample, private=private)
        try:
            await made.start()
            yield made
        finally:
            await made.close()
