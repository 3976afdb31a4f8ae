"""Slack: how soon it is answered while GitHub sends much, and how soon a press of Cancel stops a job.

Measured on `errand serve` as a process of its own between the stand-ins, with SQLite and the process engine.
What is asked is asked by the second: Slack waits three of them for an answer.
"""

import asyncio
import os
import signal
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.harness import SECRET, Row, load, prepared
from benchmarks.service import resident
from demo.installation import Installation, installation
from demo.slack import Message

DELIVERIES = 500
"""Deliveries of GitHub a second."""
SECONDS = 20.0
COMMANDS = 25
"""Slash commands a second meanwhile."""
PRESSES = 20
BUDGET_ANSWER_MS, BUDGET_STOP_MS, BUDGET_MEMORY_MB = 200.0, 300.0, 12.0

_JOBS = """
limits: {runs: 4}
jobs:
  long:
    command: |
      trap 'date +%s.%N > "$MARK"; exit 0' TERM
      echo up > "$MARK.up"
      sleep 600 & wait
    parameters: {MARK: {required: true}}
    image: shop
images: {shop: {build: {repository: acme/shop}}}
"""
_SLACK = """
slack:
  signing_secret: ${SLACK_SIGNING_SECRET}
  bot_token: ${SLACK_BOT_TOKEN}
  api_url: ${SLACK_API_URL}
  people: {U012AB3CD: octocat}
"""


async def rows() -> list[Row]:
    """The slowest answers, from a press to SIGTERM, and what Slack takes of memory."""
    with prepared(_SLACK + _JOBS) as place:
        environ = {"GITHUB_WEBHOOK_SECRET": SECRET}
        config, sample = place / "app.yaml", place / "sample"
        async with installation(place / "errand", config=config, sample=sample, environ=environ) as errand:
            made = [await _answers(errand)]
        async with installation(place / "other", config=config, sample=sample) as errand:
            made.append(await _presses(errand, place))
    return [*made, await _memory()]


async def _answers(errand: Installation) -> Row:
    """The slowest 1 % of answers to slash commands beside `DELIVERIES` of GitHub, and without them."""
    await _commands(errand, 1.0)
    alone = await _commands(errand, SECONDS / 4)
    beside, answers = await asyncio.gather(
        load(errand.port, seconds=SECONDS, rate=DELIVERIES), _commands(errand, SECONDS)
    )
    slowest, name = _percentile(answers, 99), "slowest 1 % of Slack's commands, of 200 ms"
    if beside.refused or beside.rate < 0.95 * DELIVERIES:
        note = f"not measured: only {beside.rate:.0f} deliveries a second, {beside.refused} refused"
        note += f"; slowest beside these: {slowest:.1f} ms"
        return Row(name, None, None, None, "ms", 1.0, True, note)
    note = f"beside {beside.rate:.0f} deliveries a second; median {statistics.median(answers):.1f} ms;"
    note += " the peer is the same without them"
    return Row(name, slowest, _percentile(alone, 99), slowest / BUDGET_ANSWER_MS, "ms", 1.0, True, note)


async def _commands(errand: Installation, seconds: float) -> list[float]:
    """Milliseconds from sending to the answer, for commands that are sent by the clock."""
    begun, took = time.perf_counter(), list[float]()

    async def one() -> None:
        before = time.perf_counter()
        (await errand.slash("help")).raise_for_status()
        took.append((time.perf_counter() - before) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * COMMANDS)):
            await asyncio.sleep(max(begun + number / COMMANDS - time.perf_counter(), 0))
            group.create_task(one())
    return took


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) * percent // 100, len(values) - 1)]


async def _presses(errand: Installation, place: Path) -> Row:
    """From the press of Cancel to the job's own clock in its trap, against `kill` of the same shell."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(1, PRESSES + 1):
        mark = place / f"mark-{number}"
        await errand.slash(f"run long MARK={mark}")
        await _there(Path(f"{mark}.up"))
        card = await _card(errand, f"#{number}", "run.cancel")
        pressed = time.time()
        await errand.beside.slack.press(card, "run.cancel")
        await errand.wait_for(lambda n=number: errand.has_logged("run.finished", n), 30)  # type: ignore[misc]
        ours.append((float(mark.read_text()) - pressed) * 1000)
        bare.append(await _killed(place / f"bare-{number}"))
    note = f"slowest of {PRESSES}: {max(ours):.0f} ms"
    stop = statistics.median(ours)
    return Row(
        "press of Cancel to SIGTERM, of 300 ms",
        stop,
        statistics.median(bare),
        stop / BUDGET_STOP_MS,
        "ms",
        1.0,
        True,
        note,
    )


async def _card(errand: Installation, *words: str) -> Message:
    """The message that has all these words."""
    slack = errand.beside.slack

    def there() -> Message | None:
        return next(
            (each for each in slack.messages if all(word in str(each.blocks) for word in words)), None
        )

    return await slack.wait_for(there)


async def _killed(mark: Path) -> float:
    """Milliseconds from `kill` to the trap of a shell."""
    script = 'trap \'date +%s.%N > "$MARK"; exit 0\' TERM; echo up > "$MARK.up"; sleep 600 & wait'
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", script, env={**os.environ, "MARK": str(mark)}, start_new_session=True
    )
    await _there(Path(f"{mark}.up"))
    began = time.time()
    process.send_signal(signal.SIGTERM)
    await process.wait()
    os.killpg(process.pid, signal.SIGKILL)
    return (float(mark.read_text()) - began) * 1000


async def _there(path: Path) -> None:
    async with asyncio.timeout(30):
        while not path.exists():
            await asyncio.sleep(0.005)


async def _memory() -> Row:
    """Resident memory of the idle service with Slack configured, against the same without."""
    found: list[float] = []
    for section in (_SLACK, ""):
        with prepared(section + _JOBS) as place:
            async with AsyncExitStack() as stack:
                config, sample = place / "app.yaml", place / "sample"
                errand = await stack.enter_async_context(
                    installation(place / "errand", config=config, sample=sample)
                )
                await errand.slash("help") if section else None
                found.append(resident(errand.pid))
    ours, peer = found
    name = "memory that Slack takes, of 12 MB"
    return Row(name, ours, peer, (ours - peer) / BUDGET_MEMORY_MB, "MB", 1.0, True, "the peer has no Slack")
