"""A storm is one message that counts and lists; nothing is lost in it, and nothing is told twice."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import posting_composition
from bot.posting import targets
from bot.posting.outbox import Outbox
from bot.states import State
from bot.store import posts, runs
from bot.tables import Run
from tests.bot.house import House, house

PACE = 0.1
"""Seconds between two messages of Errand; Slack takes them a little faster."""


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(posting_composition, "CHANNEL_PACE", PACE)
    async with house(tmp_path) as made:
        made.slack.pace(PACE * 0.9)
        yield made


async def start(home: House, count: int, notify: Mapping[str, Any], *, asked: bool = False) -> list[int]:
    """So many jobs begin at once, each with its card in the channel; the numbers of their runs."""

    def work(session: Any) -> list[int]:
        numbers = []
        for at in range(count):
            run = Run(
                key=f"test:{at}",
                name="",
                job=f"job-{at}",
                definition={"notify": {"slack": "#ops", **notify}},
                cause="schedule",
                actor="schedule",
                created_at=home.now,
            )
            place = targets.ChannelPlace("#ops", is_origin=asked)
            card = targets.channel(place, quiet="when" in notify, now=home.now, nonce=f"{at:016x}")
            stored, _ = runs.enqueue(session, run, [card], now=home.now, nonce=f"{at:08x}")
            numbers.append(stored.identity)
        return numbers

    numbers: list[int] = await home.write(work)
    await home.write(lambda s: runs.claim(s, owner="one", now=home.now, lease=3600.0, limit=1000))
    for number in numbers:
        await home.write(lambda s, of=number: runs.move(s, of, State.STARTING, owner="one", now=home.now))  # type: ignore[misc]
    return numbers


async def end(home: House, numbers: list[int], result: str = "failed") -> None:
    """They end together."""

    def work(session: Any) -> None:
        for number in numbers:
            facts: Any = {"result": result, "exit_code": 1 if result == "failed" else 0}
            runs.move(session, number, State.FINISHED, owner="one", now=home.now, **facts)

    await home.write(work)


async def say(home: House, outbox: Outbox) -> None:
    """Everything that there is to say, by one bot."""
    sending = set[asyncio.Task[None]]()
    while True:
        home.now += 5
        claimed = await home.write(
            lambda s: posts.claim(s, owner="one", now=home.now, lease=3600.0, limit=256)
        )
        sending |= {asyncio.create_task(outbox.send(post)) for post in claimed}
        if not sending:
            return
        done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def words(home: House) -> str:
    """All that the channel reads now."""
    return "\n".join(f"{message.text} {message.blocks}" for message in home.slack.messages)


async def test_hundred_runs_that_fail_together_are_one_message_with_all_of_them(home: House) -> None:
    numbers = await start(home, 100, {"when": ["failed"], "who": ["slack:U0OCTOCAT"]})
    await end(home, numbers)
    await say(home, home.bot.outbox)
    storm = home.slack.messages[-1]
    assert len(home.slack.messages) <= 5
    alone = len(home.slack.messages) - 1
    assert storm.text == f"📦 {100 - alone} runs at once: {100 - alone} failed <@U0OCTOCAT>"
    assert f"and {80 - alone} more" in str(storm.blocks)
    assert len(re.findall(r"\|#\d+>", str(storm.blocks))) == 20
    assert home.slack.count(r"/chat\.") <= 12  # of which the channel takes one in PACE


async def test_storm_of_starts_is_edited_to_its_end(home: House) -> None:
    numbers = await start(home, 30, {})
    outbox = home.bot.outbox
    await say(home, outbox)
    *alone, storm = home.slack.messages
    assert storm.text == f"📦 {30 - len(alone)} runs at once: {30 - len(alone)} starting"
    await end(home, numbers[:20], "succeeded")
    await end(home, numbers[20:])
    await say(home, outbox)
    assert [*home.slack.messages] == [*alone, storm]
    counts = re.fullmatch(r"📦 (\d+) runs at once: (\d+) failed, (\d+) succeeded", storm.text)
    assert counts is not None
    assert int(counts[2]) + int(counts[3]) == int(counts[1]) == 30 - len(alone)


async def test_few_messages_wait_for_their_turn_and_stand_alone(home: House) -> None:
    await end(home, await start(home, 6, {"when": ["failed"]}))
    await say(home, home.bot.outbox)
    assert len(home.slack.messages) == 6
    assert "📦" not in words(home)


async def test_what_was_asked_for_in_the_channel_is_answered_one_by_one(home: House) -> None:
    await start(home, 8, {}, asked=True)
    await say(home, home.bot.outbox)
    assert len(home.slack.messages) == 8


async def test_runs_with_messages_that_end_together_are_told_at_once(home: House) -> None:
    numbers = await start(home, 8, {}, asked=True)
    outbox = home.bot.outbox
    await say(home, outbox)
    await end(home, numbers)
    await say(home, outbox)
    assert len(home.slack.messages) == 9
    told = re.match(r"📦 (\d) runs at once: (\d) failed", home.slack.messages[-1].text)
    assert told is not None  # of all but those whose own message had its turn before
    assert told[1] == told[2] in "5678"
    assert sum("failed with exit code 1" in message.text for message in home.slack.messages[:8]) == 8


async def test_bot_that_is_killed_in_a_storm_leaves_nothing_untold_and_nothing_twice(home: House) -> None:
    numbers = await start(home, 10, {"when": ["failed"]})
    await end(home, numbers)
    sending = [
        asyncio.create_task(home.bot.outbox.send(post))
        for post in await home.write(
            lambda s: posts.claim(s, owner="one", now=home.now, lease=1.0, limit=256)
        )
    ]
    await asyncio.sleep(PACE / 4)
    for task in sending:
        task.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    home.now += 60
    await say(home, home.bot.outbox)
    shown = [f"{message.text} {message.blocks}" for message in home.slack.messages]
    for number in numbers:
        assert sum(f"|#{number}>" in each for each in shown) == 1, number


async def test_next_failure_of_a_folded_row_is_counted_in_the_storm(home: House) -> None:
    numbers = await start(home, 20, {"when": ["failed", "recovered"]})
    await end(home, numbers)
    outbox = home.bot.outbox
    await say(home, outbox)
    before = len(home.slack.messages)

    def again(session: Any) -> int:
        old = session.get(Run, numbers[5])
        made = old.model_dump(include={"job", "definition", "cause", "actor"})
        run = Run(**made, key="again", name="", created_at=home.now)
        card = targets.channel(targets.ChannelPlace("#ops"), quiet=True, now=home.now, nonce="f" * 16)
        return runs.enqueue(session, run, [card], now=home.now, nonce="again")[0].identity

    number = await home.write(again)
    await home.write(lambda s: runs.claim(s, owner="one", now=home.now, lease=3600.0, limit=10))
    await home.write(lambda s: runs.move(s, number, State.STARTING, owner="one", now=home.now))
    await end(home, [number])
    await say(home, outbox)
    assert len(home.slack.messages) == before
    assert "2 times in a row" in words(home)


async def test_storm_of_runs_with_messages_calls_once_for_all(home: House) -> None:
    numbers = await start(home, 12, {"who": ["slack:U0OCTOCAT"]}, asked=True)
    outbox = home.bot.outbox
    await say(home, outbox)
    await end(home, numbers)
    await say(home, outbox)
    calls = [message for message in home.slack.messages if "<@U0OCTOCAT>" in str(message.blocks)]
    storms = [message for message in calls if message.text.startswith("📦")]
    assert len(storms) == 1
    assert len(calls) <= 3
    assert re.match(r"📦 1[0-2] runs at once: 1[0-2] failed", storms[0].text)
