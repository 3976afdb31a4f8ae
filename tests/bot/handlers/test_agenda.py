"""The next hour of schedules: in order, bounded, without what people hold back, and true to today's jobs."""

from pathlib import Path
from typing import Any

import pytest

from bot.catalog.catalog import Job
from bot.config import Config
from bot.handlers.agenda import Agenda
from bot.registry import Registry
from bot.store import Store
from bot.tables import JobState

NOON = 1_700_049_600.0
"""A full hour."""


def _jobs(**schedules: Any) -> Config:
    jobs = {name: Job(name=name, command="true", schedule=schedule) for name, schedule in schedules.items()}
    return Config(jobs=jobs)


@pytest.fixture
async def registry(store: Store, tmp_path: Path) -> Registry:
    config = _jobs(
        often={"cron": "*/15 * * * *"},
        once={"cron": "20 * * * *"},
        later={"cron": "30 1 * * *"},
        paused={"cron": "* * * * *", "paused": True},
        manual=None,
    )
    return await Registry.open(config, store, lambda: NOON)


async def _coming(agenda: Agenda, now: float, **how: Any) -> list[tuple[float, str]]:
    assert await agenda.ready(now, 10.0)
    found = agenda.coming(how.get("held", {}), how.get("jobs"), now=now, most=how.get("most", 50))
    return [((each.at - NOON) / 60, each.job) for each in found]


async def test_hour_is_told_in_order(registry: Registry) -> None:
    agenda = Agenda(registry)
    assert await _coming(agenda, NOON) == [
        (15, "often"), (20, "once"), (30, "often"), (45, "often"), (60, "often"),
    ]  # fmt: skip
    assert await _coming(agenda, NOON, most=2) == [(15, "often"), (20, "once")]
    assert await _coming(agenda, NOON, jobs=frozenset({"once", "gone"})) == [(20, "once")]


async def test_what_people_hold_back_does_not_start(registry: Registry) -> None:
    held = {
        "often": JobState(job="often", paused=True, paused_until=NOON + 1800),
        "once": JobState(job="once", skip_at=NOON + 1200),
    }
    assert await _coming(Agenda(registry), NOON, held=held) == [(30, "often"), (45, "often"), (60, "often")]


async def test_schedules_are_read_on_when_time_has_passed(registry: Registry) -> None:
    agenda = Agenda(registry)
    await _coming(agenda, NOON)
    for hours in (1, 2, 5, 13):
        now = NOON + hours * 3600
        assert await _coming(agenda, now) == await _coming(Agenda(registry), now)


async def test_jobs_of_today_count(registry: Registry) -> None:
    agenda = Agenda(registry)
    await _coming(agenda, NOON)
    await registry.apply(_jobs(often={"cron": "50 * * * *"}, fresh={"cron": "10 * * * *"}))
    assert await _coming(agenda, NOON) == [(10, "fresh"), (50, "often")]


async def test_jitter_moves_the_start_and_what_is_left_out(store: Store) -> None:
    config = _jobs(spread={"cron": "10 * * * *", "jitter": 600})
    agenda = Agenda(await Registry.open(config, store, lambda: NOON))
    ((at, _),) = await _coming(agenda, NOON)
    assert 10 < at < 20
    assert await _coming(agenda, NOON, held={"spread": JobState(job="spread", skip_at=NOON + 600)}) == []
