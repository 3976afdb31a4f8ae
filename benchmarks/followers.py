"""What 200 open pages that follow cost while nothing happens: a process of its own serves them.

`python -m benchmarks.followers DIRECTORY TOKENS` is that process; it prints its port and the tokens.
"""

import asyncio
import os
import shutil
import socket
import sys
import time
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from benchmarks.harness import WORK, Row
from bot.access import links
from bot.store import Store, tokens
from executor.logs.store import LogStore
from executor.spec import Secret
from tests.webhooks import sites
from webhooks.access import new_token, token_hash

PAGES, TOKENS = 200, 10
SETTLE_S, MEASURED_S = 5.0, 45.0
MOST_SHARE, MOST_MB = 5.0, 60.0


async def rows() -> list[Row]:
    """Per cent of a core over three heartbeats, and the megabytes that the open pages add."""
    home = WORK / "followers"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    arguments = ["-m", "benchmarks.followers", str(home), str(TOKENS)]
    server = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        assert server.stdout is not None
        port, *keys = (await server.stdout.readline()).decode().split()
        memory = _megabytes(server.pid)
        opened = [await _open(int(port), keys[number % TOKENS]) for number in range(PAGES)]
        await asyncio.sleep(SETTLE_S)
        begun, spent = time.monotonic(), _seconds(server.pid)
        await asyncio.sleep(MEASURED_S)
        share = (_seconds(server.pid) - spent) / (time.monotonic() - begun) * 100
        more = _megabytes(server.pid) - memory
        for _, writer in opened:
            writer.close()
    finally:
        server.kill()
        await server.wait()
        shutil.rmtree(home, ignore_errors=True)
    note = f"{PAGES} streams of {TOKENS} logins, {MEASURED_S:g} s; the ratio is to {{:g}} {{}}"
    cost = note.format(MOST_SHARE, "%")
    return [
        Row("pages that follow, idle", share, MOST_SHARE, share / MOST_SHARE, "% of a core", 1.0, True, cost),
        Row("their memory", more, MOST_MB, more / MOST_MB, "MB", 1.0, True, note.format(MOST_MB, "MB")),
    ]


async def _open(port: int, key: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream of which the first byte has come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /events HTTP/1.1\r\nHost: errand\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
    await reader.readuntil(b": quiet")
    return reader, writer


def _seconds(process: int) -> float:
    """Processor time so far (proc_pid_stat(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(process: int) -> float:
    """Memory that is resident."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _serve(home: Path, count: int) -> None:
    async with await Store.open(f"sqlite:///{home}/errand.db", owner="bench") as store:
        texts = [new_token() for _ in range(count)]
        for number, text in enumerate(texts):
            name, hashed = f"bench-{number}", token_hash(text)
            await store.write(lambda s, n=name, h=hashed: tokens.add(s, name=n, hash=h, now=time.time()))  # type: ignore[misc]
        keys, logs = links.derive([Secret("s3cret")]), LogStore(home / "logs", 2**20)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            site = sites.site(store, logs, keys, f"http://127.0.0.1:{port}", time.time, {})
            app = Starlette(routes=site.routes())
            print(port, *texts, flush=True)
            await uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None)).serve([listener])


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2])))
