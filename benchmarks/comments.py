"""What comments cost: a stranger's (processor time, calls to GitHub), and the worst one of a writer.

A stranger's are 64 KB of open brackets below a command, sent to `errand serve` as GitHub sends them; the peer
is a comment of the same size that holds no command. A writer's are the worst that fuzzing found, read in this
process.
"""

import asyncio
import contextlib
import os
import statistics
import time
from pathlib import Path

from benchmarks.harness import Row, prepared
from bot.commands import markdown
from demo.installation import REPOSITORY, Installation, installation

COMMENTS = 200
"""Comments of one turn."""
AT_ONCE = 8
"""Comments under way at the same time."""
STRANGER, WARMING = "reader", "onlooker"
BUDGET_MS, BUDGET_CALLS, BUDGET_WORST_MS = 2.0, 1.0, 100.0
ROUNDS = 5

CONFIG = """
jobs:
  "true": {command: ["true"]}
"""

COSTLY = "/job run true\n" + "![" * 32_000
WORST = (
    *("![", "[", "[a](", "[a][", "![](", "a\n>>\n", "> >\n<a\n", "> >\na\n", "```\n", "\n*", "|\n\n]("),
    *("From: a\n\t", "From: a\nSent:\n", "On 2024-01-01 ", "/job\n", "/Job ", "a|\n-|\n", "<details>\n\n"),
)
"""What is repeated in the worst comments that fuzzing found; `a`, a line end and `>>` once took minutes."""


async def rows() -> list[Row]:
    """Processor time and calls of a stranger's comment, and the processor time of a writer's worst."""
    with prepared(CONFIG) as place:
        async with installation(
            place / "errand", config=place / "app.yaml", sample=place / "sample"
        ) as errand:
            return [*await _stranger(errand), _writer()]


async def _stranger(errand: Installation) -> list[Row]:
    for login in (WARMING, STRANGER):
        errand.beside.github.add_person(REPOSITORY, login, "read")
    await _turn(errand, COSTLY, 16, author=WARMING)
    ours, calls = await _turn(errand, COSTLY, COMMENTS)
    peer, _ = await _turn(errand, "x" * len(COSTLY), COMMENTS)
    times, questions = "stranger's comment of 64 KB, of 2 ms", "stranger's comment, calls to GitHub"
    note = f"processor time of the whole service, mean of {COMMENTS}; the peer holds no command"
    if ours is None or peer is None:
        first = Row(times, None, None, None, "ms", 1.0, most=True, note="not measured: there is no /proc")
    else:
        first = Row(times, ours, peer, ours / BUDGET_MS, "ms", 1.0, most=True, note=note)
    return [
        first,
        Row(questions, calls, 0.0, calls / BUDGET_CALLS, "", 1.0, most=True, note="reactions count"),
    ]


async def _turn(
    errand: Installation, body: str, count: int, author: str = STRANGER
) -> tuple[float | None, float]:
    """Milliseconds of processor time and calls to GitHub for each of `count` comments, decided to the end."""
    settled, calls, before = _settled(errand), errand.beside.github.count(""), _processor(errand.pid)
    at_once = asyncio.Semaphore(AT_ONCE)

    async def send() -> None:
        async with at_once:
            await errand.comment(body, author=author)

    await asyncio.gather(*(send() for _ in range(count)))
    await errand.wait_for(lambda: _settled(errand) >= settled + count, 120)
    after = _processor(errand.pid)
    spent = None if before is None or after is None else (after - before) * 1000 / count
    return spent, (errand.beside.github.count("") - calls) / count


def _settled(errand: Installation) -> int:
    return sum(event.get("event") == "delivery.settled" for event in errand.events)


def _processor(pid: int) -> float | None:
    """Seconds of processor time that a process has had; None where the system does not say it so.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _writer() -> Row:
    """Processor time of the slowest, each read some times; what is refused as too costly counts as well."""
    spent = {piece: statistics.median(_read(piece) for _ in range(ROUNDS)) for piece in WORST}
    worst = max(spent, key=lambda piece: spent[piece])
    note = f"{len(WORST)} kinds of 64 KB; slowest: {worst!r} over and over"
    peer = _read("A line of prose with *emphasis* and `code`.\n\n")
    return Row(
        "writer's worst comment, of 100 ms",
        spent[worst],
        peer,
        spent[worst] / BUDGET_WORST_MS,
        "ms",
        1.0,
        most=True,
        note=f"{note}; the peer is prose of that length",
    )


def _read(piece: str) -> float:
    text = ("/job run true\n" + piece * (65_000 // len(piece)))[:65_000] + "\n\n/job run true"
    began = time.thread_time()
    with contextlib.suppress(markdown.TooCostly):
        markdown.read(text)
    return (time.thread_time() - began) * 1000
