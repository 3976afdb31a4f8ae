"""How long answers take is counted once for each, and a new card waits for its run to begin."""

import asyncio

import pytest
from sqlalchemy import update

from bot.posting import outbox
from bot.states import State
from bot.store import attempts, posts, runs
from bot.tables import Run
from bot.telemetry.metrics import REGISTRY
from tests.bot.house import House
from tests.bot.posting.test_outbox import claim, send


def _counted(kind: str = "github_comment") -> float:
    return REGISTRY.get_sample_value("errand_answer_seconds_count", {"kind": kind}) or 0.0


async def _want(home: House) -> None:
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))


async def test_end_of_a_run_is_counted_once_in_each_place(home: House) -> None:
    before = _counted(), _counted("github_check")
    await home.says("/job run check")
    await send(home)
    assert (_counted(), _counted("github_check")) == before
    ended = {"state": "finished", "result": "succeeded", "finished_at": home.now}
    await home.write(lambda s: s.execute(update(Run).values(**ended)))
    await _want(home)
    await send(home)
    after = _counted(), _counted("github_check")
    assert after == (before[0] + 1, before[1] + 1)
    await home.write(lambda s: posts.want(s, "run", [1]))
    await send(home)
    assert (_counted(), _counted("github_check")) == after


async def test_answer_that_takes_another_try_is_counted_when_it_is_there(home: House) -> None:
    await home.says("/job run plain")
    await send(home)
    before, ended = _counted(), {"state": "finished", "result": "failed", "finished_at": home.now}
    await home.write(lambda s: s.execute(update(Run).values(**ended)))
    await _want(home)
    home.github.fail("/issues/comments/", 502)
    await send(home)
    assert _counted() == before
    await send(home)
    assert _counted() == before + 1


async def test_new_card_waits_for_its_run_to_begin_and_says_it_in_one(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await home.says("/job run plain")
    (card,) = await claim(home)
    monkeypatch.setattr(outbox, "BEGINNING", 30.0)
    sending = asyncio.create_task(home.bot.outbox.send(card))
    await asyncio.sleep(0)
    run = await home.claim(Run)
    await home.write(lambda s: attempts.begin(s, run.identity, owner="one"))
    await home.write(lambda s: runs.move(s, run.identity, State.RUNNING, owner="one", now=home.now))
    await asyncio.wait_for(sending, 20)
    assert "is running" in home.github.comments[-1].body
    assert await claim(home) == []
