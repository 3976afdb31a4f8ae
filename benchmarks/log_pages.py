"""The page of a run whose log has 100 MB, and a search through all of it, as a browser asks for them.

In one process, without a network: what is measured is the service's own time, files in the system's cache.
"""

import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from starlette.applications import Starlette

from benchmarks.harness import WORK, Row, median_ratio
from bot.access import links
from bot.states import State
from bot.store import Store, runs
from bot.tables import Run
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.webhooks import sites

SIZE = 100 * 2**20
LIMIT = 4 * SIZE
LINES = 20_000
"""Lines that are written at once."""
FIRST, AGAIN, SEARCHES = 7, 30, 3
ROUNDS, PIECES = 7, 8192
"""How often so many pieces of 4 KiB are written."""
NOW = 1_800_000_000.0


async def rows() -> list[Row]:
    """What a log is written with, and milliseconds of a page, at first and later, and of a search."""
    home = WORK / "log_pages"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    async with await Store.open(databases.sqlite(home / "errand.db"), owner="bench") as store:
        run = await _run(store)
        logs = LogStore(home / "logs", LIMIT)
        lines = _write(logs, run.name)
        LogWriter(logs.beside(run.name).path("short"), LIMIT).write(b"one\n")
        first: list[float] = []
        again: list[float] = []
        anywhere: list[float] = []
        for _ in range(FIRST):
            reader = _Reader(store, home)
            await reader.seconds("", "/search")
            await reader.seconds("&attempt=1&container=short")  # templates are read
            first.append(await reader.seconds(""))
        for number in range(AGAIN):
            again.append(await reader.seconds(""))
            anywhere.append(await reader.seconds(f"&line={1 + number * lines // AGAIN}"))
        found = [await reader.seconds("&q=that+is+not+there", "/search") for _ in range(SEARCHES)]
    shutil.rmtree(home, ignore_errors=True)
    return [
        _writing(),
        _row("run page with a 100 MB log, first time", first, 100.0),
        _row("the same again", again, 100.0),
        _row("the same around some line", anywhere, 100.0),
        _row("search through 100 MB in colour", found, 10_000.0),
    ]


def _writing() -> Row:
    """What noting when each piece was kept leaves of the speed of writing it."""
    home = WORK / "log_writing"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    piece = b"2026-11-29T08:41:59Z INFO shop.orders: an order was paid and shipped\n" * 60
    ours: list[float] = []
    peer: list[float] = []
    for turn in range(ROUNDS):
        log = LogWriter(str(home / f"ours{turn}"), LIMIT)
        ours.append(_rate(piece, lambda log=log: log.write(piece)))  # type: ignore[misc]
        log.close()
        file = os.open(home / f"peer{turn}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        peer.append(_rate(piece, lambda file=file: os.write(file, piece)))  # type: ignore[misc]
        os.close(file)
    shutil.rmtree(home, ignore_errors=True)
    note = "megabytes a second of one core, in pieces of 4 KiB; the peer writes a file and notes nothing"
    rates = statistics.median(ours), statistics.median(peer)
    return Row("log: writing", *rates, median_ratio(ours, peer), "MB/s", 0.6, note=note)


def _rate(piece: bytes, write: Callable[[], object]) -> float:
    begun = time.process_time()
    for _ in range(PIECES):
        write()
    return PIECES * len(piece) / 1e6 / (time.process_time() - begun)


async def _run(store: Store) -> Run:
    row = Run(key="k", name="", job="long", cause="comment", actor="github:octocat", created_at=NOW)
    run, _ = await store.write(lambda session: runs.enqueue(session, row, [], now=NOW, nonce="abc"))
    await store.write(lambda session: runs.claim(session, owner="bench", now=NOW, lease=60.0, limit=1))
    for state in (State.STARTING, State.RUNNING):
        await store.write(lambda s, to=state: runs.move(s, run.identity, to, owner="bench", now=NOW))  # type: ignore[misc]
    end: runs.RunUpdate = {"result": "failed", "exit_code": 1}
    await store.write(lambda s: runs.move(s, run.identity, State.FINISHED, owner="bench", now=NOW, **end))
    return run


def _write(logs: LogStore, key: str) -> int:
    """Writes the log; gives how many lines it has."""
    writer, lines, size = LogWriter(logs.path(key), LIMIT), 0, 0
    while size < SIZE:
        block = b"".join(
            b"12:00:00 \x1b[32mINFO\x1b[0m row %08d of a table, as a job tells of each that it took\n"
            % number
            for number in range(lines, lines + LINES)
        )
        writer.write(block)
        lines, size = lines + LINES, size + len(block)
    writer.finish()
    return lines


class _Reader:
    """A service that has just begun, asked by who has a link to the run."""

    def __init__(self, store: Store, home: Path) -> None:
        keys = links.derive([Secret("s3cret")])
        url = "http://errand.test"
        site = sites.site(store, LogStore(home / "logs", LIMIT), keys, url, lambda: NOW, {"long": ""})
        transport = httpx.ASGITransport(Starlette(routes=site.routes()))
        self._client = httpx.AsyncClient(transport=transport, base_url=url, timeout=60)
        self._query = links.sign("/runs/1", expires=int(NOW) + 600, keys=keys)

    async def seconds(self, more: str, beneath: str = "") -> float:
        """How long an answer takes."""
        begun = time.perf_counter()
        answer = await self._client.get(f"/runs/1{beneath}?{self._query}{more}")
        took = time.perf_counter() - begun
        if answer.status_code != 200 or (not beneath and "data-n=" not in answer.text):
            raise RuntimeError("not the page that was asked for")
        return took


def _row(name: str, took: list[float], most: float) -> Row:
    median, worst = statistics.median(took) * 1000, max(took) * 1000
    note = f"slowest of {len(took)}: {worst:.0f} ms; the ratio is to {most:,.0f} ms"
    return Row(name, median, most, median / most, "ms", 1.0, True, note)
