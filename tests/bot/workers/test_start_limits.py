"""A run that does not start in time is given up, whoever holds it, and one that did is left alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.messages.reasons import explanation_of
from bot.states import Hold, State
from bot.store import Session, holds, runs, start_limits
from bot.store.columns import RUN
from bot.tables import Run
from bot.workers.start_limits import StartLimits
from tests.bot.house import House, house

NOON = 1_800_014_400.0
JOBS = """
  late: {image: shop, command: "true", start_within: 10m, lock: prod}
  patient: {image: shop, command: "true"}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON
        yield made


async def _look(home: House, now: float) -> list[tuple[str, str | None, str | None]]:
    home.now = now
    await StartLimits(home.store, lambda: home.now).look()
    rows = await home.store.read(lambda s: runs.page(s, limit=9))
    return [(run.state, run.result, run.reason) for run in reversed(rows)]


async def test_what_waits_for_too_long_is_given_up_and_says_so(home: House) -> None:
    await home.says("/job run late")
    await home.says("/job run patient")
    assert await home.store.read(start_limits.next_due) == NOON + 600
    assert [state for state, _, _ in await _look(home, NOON + 599)] == ["waiting", "waiting"]
    assert await _look(home, NOON + 600) == [
        ("finished", "error", "NotStarted"),
        ("waiting", None, None),
    ]
    run = await home.store.read(lambda s: runs.get(s, 1))
    assert run is not None
    assert "It did not start within 10m (`start_within`)." in str(explanation_of(run))
    assert await home.store.read(start_limits.next_due) is None


async def test_what_somebody_carries_is_stopped_and_ends_so(home: House) -> None:
    await home.says("/job run late")

    def held(session: Session) -> None:
        mine = {"state": State.STARTING, "lease_owner": "one", "lease_until": NOON + 9000, "admitted": True}
        session.execute(update(Run).where(RUN.number == 1).values(**mine))

    await home.write(held)
    assert await _look(home, NOON + 601) == [("starting", None, "NotStarted")]
    ended = await home.store.write(
        lambda s: runs.move(s, 1, State.FINISHED, owner="one", now=home.now, result="cancelled")
    )
    assert ended is not None
    assert (ended.result, ended.reason, ended.stop_by) == ("error", "NotStarted", "start_within")


async def test_what_has_started_is_left_alone(home: House) -> None:
    await home.says("/job run late")
    await home.write(
        lambda s: (
            s.execute(update(Run).values(state="running", started_at=NOON + 1, lease_owner="one")) and None
        )
    )
    assert await home.store.read(start_limits.next_due) is None
    assert await _look(home, NOON + 6000) == [("running", None, None)]


async def test_what_is_held_has_its_time_from_when_nothing_holds_it(home: House) -> None:
    await home.says("/job run late in 2h")
    assert await home.store.read(start_limits.next_due) is None
    await home.write(lambda s: holds.release(s, 1, Hold.TIME, now=NOON + 7200) and None)
    assert await home.store.read(start_limits.next_due) == NOON + 7800
