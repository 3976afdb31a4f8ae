"""What benchmarks share: the row of a table, a server process, and the load of signed pushes."""

import asyncio
import hashlib
import hmac
import json
import os
import socket
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WORK = ROOT / "var" / "benchmarks"
"""Databases and installed peers; ignored by git."""

SECRET = "It's a Secret to Everybody"

_BESIDE = """
url: ${ERRAND_URL}
github:
  app_id: ${GITHUB_APP_ID}
  private_key: ${GITHUB_PRIVATE_KEY}
  webhook_secret: ${GITHUB_WEBHOOK_SECRET}
  api_url: ${GITHUB_API_URL}
  clone_url: ${GITHUB_CLONE_URL}
  pace: 0s
  repositories: [acme/shop]
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One result: `ours` and `peer` in `unit`, `ratio` of the two, and what the ratio should be.

    `aim` is a lower bound of the ratio, or with `most` an upper one. All are None where nothing was
    measured; `note` then says why.
    """

    name: str
    ours: float | None
    peer: float | None
    ratio: float | None
    unit: str
    aim: float
    most: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None when nothing was measured."""
        if self.ratio is None:
            return None
        return self.ratio <= self.aim if self.most else self.ratio >= self.aim

    def as_dict(self) -> dict[str, Any]:
        """The row for a JSON file."""
        return asdict(self) | {"met": self.met}


@dataclass(frozen=True, slots=True)
class Load:
    """What one turn of load found: answers a second, latencies in milliseconds, answers that were no 2xx."""

    rate: float
    p50: float
    p99: float
    refused: int


@contextmanager
def prepared(config: str, *, pace: str = "0s") -> Iterator[Path]:
    """A directory for as long as the block lasts, with an `app.yaml` and a `sample` repository.

    `config` is what the file says besides the address and GitHub, to which Errand writes at this `pace`.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as home:
        made = Path(home)
        (made / "app.yaml").write_text(_BESIDE.replace("pace: 0s", f"pace: {pace}") + config)
        (made / "sample").mkdir()
        (made / "sample" / "README.md").write_text("A sample.\n")
        yield made


def median_ratio(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of the ratios of neighbouring turns: what else the machine did meanwhile cancels out."""
    return statistics.median(our / peer for our, peer in zip(ours, peers, strict=True))


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def server(
    command: Sequence[str | Path], port: int, environment: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """Run a server until the block ends; entered once `port` accepts connections."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while not await _accepts(port):
                if process.returncode is not None:
                    raise RuntimeError(f"{command[0]} ended with {process.returncode}")
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def load(port: int, *, seconds: float, connections: int = 32, rate: float | None = None) -> Load:
    """Send signed pushes from a process of its own, each connection waiting for its answer.

    `rate` is how many a second, None for as many as are answered.
    """
    paced = [] if rate is None else [str(rate)]
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(connections), *paced]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the load generator failed")
    return Load(**json.loads(out))


def sign(body: bytes) -> str:
    """GitHub's signature header of `body` under `SECRET`."""
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def push_of(size: int) -> bytes:
    """A push event of `size` bytes, shaped as GitHub sends them."""
    links = ("archive", "branches", "comments", "commits", "contents", "deployments", "forks", "hooks")
    owner = {"login": "acme", "id": 1, "type": "Organization", "url": "https://api.example.com/users/acme"}
    person = {"name": "octocat", "email": "octocat@example.com", "username": "octocat"}
    push: dict[str, Any] = {
        "ref": "refs/heads/main",
        "before": "0" * 40,
        "after": "f" * 40,
        "repository": {
            "id": 186853002,
            "full_name": "acme/shop",
            "private": False,
            "owner": owner,
            "default_branch": "main",
        }
        | {f"{link}_url": f"https://api.example.com/repos/acme/shop/{link}" for link in links},
        "pusher": person,
        "sender": owner,
        "commits": [],
        "pad": "",
    }
    while len(json.dumps(push)) < size - 700:
        number = len(push["commits"])
        commit = {
            "id": hashlib.sha1(b"%d" % number).hexdigest(),
            "message": f"Change {number}: describe what the visitor sees",
            "timestamp": "2024-05-15T15:20:30+02:00",
            "url": f"https://example.com/acme/shop/commit/{hashlib.sha1(b'%d' % number).hexdigest()}",
            "author": person,
            "committer": person,
            "distinct": True,
            "added": [f"src/shop/module_{number}.py"],
            "removed": [],
            "modified": ["README.md", f"tests/test_module_{number}.py"],
        }
        push["commits"].append(commit)
    push["pad"] = "x" * (size - len(json.dumps(push)))
    return json.dumps(push).encode()
