"""A schedule whose runs fail several times in a row is paused, and everybody hears of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.messages import run_view, tick_note
from bot.messages.checks import RESUMES, check
from bot.states import State
from bot.store import Session, digests, journal, runs, ticks
from bot.store.columns import RUN
from bot.tables import Run
from tests.bot.house import House, house
from tests.bot.ticking import MINUTE, NOON, at, begun, noted, started, told

JOBS = """
  shaky:
    image: shop
    command: "true"
    schedule: {cron: "* * * * *", stop_after: 3}
    notify: {slack: "#ops", when: [recovered]}
  steady:
    command: "true"
    schedule: [{name: one, cron: "* * * * *"}, {name: two, cron: "* * * * *", stop_after: 1}]
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        made.now = NOON - 30
        await begun(made)
        yield made


async def _ends(home: House, run: Run, result: str) -> Run:
    """Let a run end so, whatever it waits for."""
    number, now = run.identity, home.now
    if result == "cancelled":
        return await home.store.write(lambda s: runs.request_stop(s, number, by="github:a", now=now))

    def end(session: Session) -> Run | None:
        held = {"state": State.RUNNING, "lease_owner": "one", "lease_until": now + 60, "admitted": True}
        session.execute(update(Run).where(RUN.number == number).values(**held))
        return runs.move(session, number, State.FINISHED, owner="one", now=now, result=result)

    ended = await home.store.write(end)
    assert ended is not None
    return ended


async def _turn(home: House, minute: int, result: str, job: str = "shaky") -> Run:
    await at(home, home.bot.ticks, NOON + minute * MINUTE)
    run = [each for each in await started(home, job) if each.tick_at == NOON + minute * MINUTE][-1]
    return await _ends(home, run, result)


async def test_third_failure_in_a_row_pauses_it_and_resuming_counts_anew(home: House) -> None:
    for minute, result in enumerate(["failed", "timed_out", "succeeded", "failed", "cancelled", "error"]):
        assert (await _turn(home, minute, result)).stopped_after is None
    last = await _turn(home, 6, "failed")
    assert last.stopped_after == 3
    await at(home, home.bot.ticks, NOON + 7 * MINUTE)
    assert (await told(home, "shaky"))[-1] == (7, "paused")
    assert (await noted(home, "shaky"))[-1] == f"Paused by run #{last.number}: 3 failures in a row."
    (reply,) = await home.says("/job resume shaky")
    assert "The schedule of `shaky` goes on." in reply
    assert (await _turn(home, 8, "failed")).stopped_after is None


async def test_it_is_told_on_the_card_the_check_the_channel_and_in_the_journal(home: House) -> None:
    for minute in range(3):
        last = await _turn(home, minute, "failed")
    view = run_view(last)
    assert ("paused the schedule", "shaky", " after 3 failures in a row") in view.facts
    assert check(view, None, nonce="n" * 16, now=NOON).buttons[-1:] == RESUMES
    card = await home.store.read(lambda s: digests.card(s, digests.card_key(last.identity, "#ops")))
    assert card.state == "open"
    assert card.place["occasion"] == {"kind": "stopped", "failures": 3, "schedule": "shaky"}
    (entry,) = [
        each
        for each in await home.store.read(lambda s: journal.newest(s, limit=50))
        if each.kind == "schedule.paused"
    ]
    assert (entry.subject, entry.run, entry.rule) == ("schedule:shaky", last.number, "stop_after: 3")


async def test_each_schedule_counts_by_itself_and_people_do_not_count(home: House) -> None:
    await at(home, home.bot.ticks, NOON)
    by_name = {run.schedule: run for run in await started(home, "steady")}
    assert (await _ends(home, by_name["one"], "failed")).stopped_after is None
    assert (await _ends(home, by_name["two"], "failed")).stopped_after == 1
    await at(home, home.bot.ticks, NOON + MINUTE)
    assert (await told(home, "steady/one"))[-1] == (1, "run")
    assert (await told(home, "steady/two"))[-1] == (1, "paused")


async def test_who_paused_it_by_hand_stays_who_did(home: House) -> None:
    await at(home, home.bot.ticks, NOON)
    (run,) = [each for each in await started(home, "steady") if each.schedule == "two"]
    await home.write(lambda s: ticks.change(s, "steady/two", paused=True, paused_by="github:a"))
    assert (await _ends(home, run, "failed")).stopped_after is None
    tick = (await home.store.read(lambda s: ticks.newest(s, "steady/two")))[0]
    assert (tick.outcome, tick_note(tick)) == ("run", None)
