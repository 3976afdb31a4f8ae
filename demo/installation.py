"""A whole Errand on this machine: the real service as a process of its own, between the two stand-ins.

The demo shows one to people, the flow tests and benchmarks drive one. Deliveries go in over HTTP and
properly signed, as GitHub and Slack send them; everything that comes out is at the stand-ins.
"""

import asyncio
import itertools
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from demo.standins import StandIns

REPOSITORY = "acme/shop"
PULL = 7
PERSON = "octocat"
SLACK_USER = "U012AB3CD"
CHANNEL = "C0OPS"
START_SECONDS = 30.0

ROOT = Path(__file__).parents[1]


class Installation:
    """One installation with `home` as its working directory; `log` has the service's log events."""

    def __init__(self, home: Path, beside: StandIns, *, config: Path, environ: Mapping[str, str]) -> None:
        self.home = home
        self.beside = beside
        self.github_secret = "demo-webhook-secret"
        self.slack_secret = "demo-signing-secret"
        self.log: list[dict[str, Any]] = []
        self.on_log: Callable[[dict[str, Any]], None] = lambda event: None
        self._config = config
        self._environ = dict(environ)
        self._ids = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._client = httpx.AsyncClient(base_url=self.url, timeout=30.0, trust_env=False)

    @property
    def origin(self) -> Path:
        """The repository that stands at GitHub: a bare one, as a server has it."""
        return self.home / "github" / f"{REPOSITORY}.git"
