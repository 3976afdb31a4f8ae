"""A workspace that does not know a block gets the text, and is remembered."""

import pytest

from bot.store import block_refusals
from bot.tables import Run
from tests.bot.house import House
from tests.bot.posting.test_outbox import send


async def _runs(home: House) -> None:
    """Some that have ended."""
    for number in range(3):
        row = Run(
            key=f"k{number}",
            name=f"n{number}",
            job="check",
            repository="Acme/Shop",
            cause="slack",
            actor="slack:U0OCTOCAT",
            state="finished",
            result="succeeded",
            created_at=home.now,
            started_at=home.now,
            finished_at=home.now + 10.0 * number,
        )
        await home.write(lambda s, row=row: s.add(row))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("command", "block"), [("status check", "data_visualization"), ("list", "data_table")]
)
async def test_answer_is_drawn_or_said_and_the_refusal_remembered(
    home: House, command: str, block: str
) -> None:
    await _runs(home)
    await home.types(command)
    await send(home)
    assert home.slack.ephemerals[-1].blocks[-1]["type"] == block
    home.slack.refused_blocks = {block}
    for _ in range(2):
        await home.types(command)
        await send(home)
        assert home.slack.ephemerals[-1].blocks == []
        assert "check" in home.slack.ephemerals[-1].text
    refused = await home.store.read(lambda s: block_refusals.refuses(s, "T0ACME", [block], now=home.now))
    assert refused
    home.slack.refused_blocks = set()
    later = home.now + block_refusals.KEPT + 1
    assert not await home.store.read(lambda s: block_refusals.refuses(s, "T0ACME", [block], now=later))


async def test_second_try_of_an_answer_goes_without_its_picture(home: House) -> None:
    home.slack.fail("/commands/", 500)
    await home.types("list")
    await send(home, 2)
    (answer,) = home.slack.ephemerals
    assert answer.blocks == []
    assert not await home.store.read(
        lambda s: block_refusals.refuses(s, "T0ACME", ["data_table"], now=home.now)
    )


async def test_answer_on_github_has_no_picture(home: House) -> None:
    await _runs(home)
    (reply,) = await home.says("/job status check")
    assert "▰" not in reply
    assert [post.place for post in await home.posts() if "blocks" in post.place] == []


async def test_mention_is_answered_alike_in_a_workspace_that_knows_no_charts(home: House) -> None:
    await _runs(home)
    home.slack.refused_blocks = {"data_visualization"}
    channel = home.slack.channels[0]
    said = home.slack.write("<@U0ERRAND> status check", user="U0OCTOCAT")
    event = {"type": "app_mention", "user": "U0OCTOCAT", "channel": channel.id}
    await home.tells({**event, "text": said.text, "ts": said.ts})
    await send(home)
    (answer,) = home.slack.ephemerals
    assert answer.blocks == []
    assert "▰" in answer.text


async def test_workspace_that_does_not_say_its_name_gets_text(home: House) -> None:
    home.slack.say("auth.test", "internal_error", times=100)
    await home.types("list")
    await send(home)
    (answer,) = home.slack.ephemerals
    assert answer.blocks == []
