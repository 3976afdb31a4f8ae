"""A card in Slack: what it says as its run moves, and what hangs below it."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.store import posts
from bot.store.columns import POST
from bot.tables import Post, Run
from tests.bot.house import House
from tests.bot.posting.test_outbox import claim, send


async def ends(home: House, **values: object) -> None:
    """The run ends so."""
    change = {"state": "finished", "result": "failed", "exit_code": 1, "finished_at": home.now, **values}
    await home.write(lambda s: s.execute(update(Run).values(**change)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))


async def test_last_lines_and_summary_hang_below_the_card_once(home: House) -> None:
    await home.types("run check")
    await send(home)
    await ends(home, tail=["it broke", "here"], summary="# Numbers\n\n12 of 13")
    await send(home, 3)
    card, below = home.slack.messages
    assert below.thread_ts == card.ts
    assert "it broke" in str(below.blocks)
    assert "12 of 13" in str(below.blocks)
    assert "it broke" not in str(card.blocks)
    assert "12 of 13" not in str(card.blocks)
    assert len(below.history) == 1


async def test_thread_of_a_card_is_found_after_a_crash(home: House) -> None:
    await home.types("run check")
    await send(home)
    await ends(home, tail=["it broke"])
    await send(home, 2)
    lost = update(Post).values(remote_id=None).where(POST.kind == "slack_thread")
    await home.write(lambda s: s.execute(lost))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    for post in await claim(home):
        if post.kind == "slack_thread":
            post.attempts = 2
            await home.bot.outbox.send(post)
    assert len(home.slack.messages) == 2
    assert len(home.slack.messages[1].history) == 2


async def test_what_succeeded_silently_has_nothing_below_its_card(home: House) -> None:
    await home.types("run check")
    await send(home)
    await ends(home, result="succeeded", exit_code=0, tail=["fine"])
    await send(home, 2)
    assert len(home.slack.messages) == 1


async def test_card_of_what_runs_tells_the_time_without_news(home: House) -> None:
    await home.types("run check")
    await home.write(lambda s: s.execute(update(Run).values(state="running", started_at=home.now)))
    await send(home)
    for seconds in (95.0, 200.0):
        await home.write(lambda s, at=home.now - seconds: s.execute(update(Run).values(started_at=at)))  # type: ignore[misc]
        await send(home)
    (card,) = home.slack.messages
    texts = [str(blocks[0]) for _, blocks in card.history]
    assert len(texts) == 3
    assert "is running, 1h 1m" in texts[1]


async def test_news_of_a_card_that_waits_to_tell_the_time_is_told_at_once(home: House) -> None:
    await home.types("run check")
    await home.write(lambda s: s.execute(update(Run).values(state="running", started_at=home.now)))
    await send(home)
    (card,) = [post for post in await home.posts() if post.kind == "slack_message"]
    assert card.due_at - home.now == pytest.approx(360.0, abs=5)  # a tenth of the hour that it runs
    assert card.wanted == card.sent + 1
    await home.write(lambda s: posts.want(s, "run", [1]))
    (card,) = [post for post in await home.posts() if post.kind == "slack_message"]
    assert card.due_at == posts.AT_ONCE


async def test_card_says_how_long_the_last_ones_took(home: House) -> None:
    await home.types("run check")
    started = home.now - 130
    await home.write(lambda s: s.execute(update(Run).values(state="running", started_at=started)))
    done: dict[str, Any] = {
        "key": "o",
        "name": "o",
        "job": "check",
        "cause": "slack",
        "actor": "slack:x",
        "created_at": 0.0,
    }
    old = Run(**done, state="finished", result="succeeded", started_at=10.0, finished_at=310.0)
    await home.write(lambda s: s.add(old))
    for post in await claim(home):
        home.now -= 3600
        if post.kind == "slack_message":
            await home.bot.outbox.send(post)
    (card,) = home.slack.messages
    assert "of about 5m" in str(card.blocks[0])


async def test_others_who_read_a_channel_get_the_way_to_public_code_alone(home: House) -> None:
    home.slack.channels[0].shared = True
    await home.types("run check")
    await send(home)
    assert "/commit/" not in str(home.slack.messages[0].blocks)
    await home.write(lambda s: s.execute(update(Run).values(public=True)))
    await home.write(lambda s: posts.want(s, "run", [1]))
    await send(home)
    assert "/Acme/Shop/commit/" in str(home.slack.messages[0].blocks)


async def test_card_that_slack_does_not_take_is_said_in_its_first_line(home: House) -> None:
    home.slack.refused_blocks = {"actions"}
    await home.types("run check")
    await send(home)
    await ends(home)
    await send(home)
    (card,) = home.slack.messages
    assert [block["type"] for block in card.blocks] == ["section"]
    assert "failed with exit code 1" in str(card.blocks)
