"""A house with schedules, and what became of their due moments."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.handlers.ticks import TickHandler
from bot.messages import tick_note
from bot.store import runs, ticks
from bot.tables import Run
from tests.bot.house import House, house

MINUTE, HOUR = 60.0, 3600.0
NOON = 1_800_014_400.0
"""12:00 UTC of a day."""

JOBS = """
  hourly: {command: "true", schedule: {cron: "0 * * * *"}, notify: {slack: "#ops"}}
  minutely:
    image: shop
    command: "true"
    schedule: {cron: "*/5 * * * *", catch_up: 12m}
    notify: {slack: "#ops"}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with two scheduled jobs, shortly before noon."""
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON - 30
        yield made


def schedules(home: House) -> TickHandler:
    return home.bot.ticks


async def begun(home: House) -> TickHandler:
    """Schedules that were there before noon."""
    made = schedules(home)
    await made.turn()
    return made


async def at(home: House, made: TickHandler, now: float) -> None:
    """Decide what is due at `now`."""
    home.now = now
    await made.turn()


async def told(home: House, job: str) -> list[tuple[float, str]]:
    """When, in minutes after noon, a job was due and what became of it, oldest first."""
    found = await home.store.read(lambda s: ticks.newest(s, job, limit=1000))
    return [((tick.at - NOON) / MINUTE, tick.outcome) for tick in reversed(found)]


async def noted(home: House, job: str) -> list[str | None]:
    found = await home.store.read(lambda s: ticks.newest(s, job, limit=1000))
    return [tick_note(tick) for tick in reversed(found)]


async def started(home: House, job: str) -> list[Run]:
    return list(reversed(await home.store.read(lambda s: runs.page(s, job=job, limit=1000))))
