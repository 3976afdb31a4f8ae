"""Deliveries a second: 8 KB signed pushes over 32 connections, answered 202 only when they are durable.

Against the same route without the store, and against Probot, which verifies and stores nothing. All run
as one process each, started once and loaded in turns; none is bound to a core.
"""

import asyncio
import shutil
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.harness import ROOT, SECRET, WORK, Load, Row, free_port, load, median_ratio, server

PROBOT = "14.3.2"
ROUNDS = 7
SECONDS = 3.0
"""One turn of load; each server has one such turn per round."""

NAMES = ("deliveries against Probot", "deliveries against the bare route", "slowest 1 % against Probot")


async def rows() -> list[Row]:
    """Rate against both peers, 99th percentile against Probot."""
    WORK.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(dir=WORK))
        ports = {name: free_port() for name in ("ours", "bare")}
        door = (sys.executable, "-m", "benchmarks.door")
        database = f"sqlite:///{directory}/errand.db"
        await stack.enter_async_context(server([*door, str(ports["ours"]), database], ports["ours"]))
        await stack.enter_async_context(server([*door, str(ports["bare"])], ports["bare"]))
        try:
            ports["probot"] = await _probot(stack)
            missing = ""
        except (OSError, RuntimeError, TimeoutError) as error:
            missing = f"not measured: {error}"
        turns = await _alternate(ports)
    return _rows(turns, missing)


async def _alternate(ports: dict[str, int]) -> dict[str, list[Load]]:
    """Load all servers in turns; a first, shorter round warms them up and does not count."""
    turns: dict[str, list[Load]] = {name: [] for name in ports}
    for port in ports.values():
        await load(port, seconds=SECONDS / 2)
    for _ in range(ROUNDS):
        for name, port in ports.items():
            turn = await load(port, seconds=SECONDS)
            if turn.refused:
                raise RuntimeError(f"{name} refused {turn.refused} deliveries")
            turns[name].append(turn)
    return turns


def _rows(turns: dict[str, list[Load]], missing: str) -> list[Row]:
    rates = {name: [turn.rate for turn in loads] for name, loads in turns.items()}
    tails = {name: [turn.p99 for turn in loads] for name, loads in turns.items()}
    notes = {
        name: f"{name} p50 {statistics.median(turn.p50 for turn in loads):.1f} ms,"
        f" p99 {statistics.median(tails[name]):.1f} ms"
        for name, loads in turns.items()
    }
    bare = _row(NAMES[1], rates["ours"], rates["bare"], "1/s", 0.75, note=f"{notes['ours']}; {notes['bare']}")
    if missing:
        return [
            Row(NAMES[0], None, None, None, "1/s", 1.2, note=missing),
            bare,
            Row(NAMES[2], None, None, None, "ms", 1.0, most=True, note=missing),
        ]
    probot = _row(NAMES[0], rates["ours"], rates["probot"], "1/s", 1.2, note=notes["probot"])
    return [probot, bare, _row(NAMES[2], tails["ours"], tails["probot"], "ms", 1.0, most=True)]


def _row(
    name: str,
    ours: list[float],
    peer: list[float],
    unit: str,
    aim: float,
    *,
    most: bool = False,
    note: str = "",
) -> Row:
    ratio = median_ratio(ours, peer)
    return Row(name, statistics.median(ours), statistics.median(peer), ratio, unit, aim, most, note)


async def _probot(stack: AsyncExitStack) -> int:
    """Install and start Probot; raises with the reason where that cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise RuntimeError("node and npm are not installed")
    entry = await _installed(npm)
    port = free_port()
    environment = {"APP_KEY": _key(), "WEBHOOK_SECRET": SECRET, "PORT": str(port), "NODE_ENV": "production"}
    await stack.enter_async_context(
        server([node, ROOT / "benchmarks" / "probot.mjs", entry], port, environment)
    )
    return port


async def _installed(npm: str) -> Path:
    place = WORK / f"probot-{PROBOT}"
    entry = place / "node_modules" / "probot" / "lib" / "index.js"
    if not entry.exists():
        quiet = ("--silent", "--no-audit", "--no-fund")
        process = await asyncio.create_subprocess_exec(
            npm, "install", *quiet, "--prefix", place, f"probot@{PROBOT}", stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(180):
            if await process.wait() != 0:
                raise RuntimeError(f"npm could not install probot {PROBOT}")
    return entry


def _key() -> str:
    """A private key that belongs to nobody: Probot does not start without one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
