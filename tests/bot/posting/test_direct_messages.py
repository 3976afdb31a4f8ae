"""Where the bot is no member, who asked is told the end, once, and while Slack takes answers."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.posting.slack_posts import RESPONSE_SECONDS
from bot.store import posts
from bot.store.columns import POST
from bot.tables import Post, Run
from tests.bot.house import House


async def send(home: House, after: float = 1.0) -> None:
    """Send what is due `after` seconds later."""
    home.now += after
    await home.write(lambda s: s.execute(update(Post).where(POST.state == "open").values(due_at=0.0)))
    claimed = await home.write(lambda s: posts.claim(s, owner="one", now=home.now, lease=60.0, limit=20))
    for post in claimed:
        await home.bot.outbox.send(post)


async def ends(home: House, **facts: Any) -> None:
    values = {"state": "finished", "result": "failed", "exit_code": 3, "finished_at": home.now, **facts}
    await home.write(lambda s: s.execute(update(Run).values(**values)))
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))


async def card(home: House) -> Post:
    (found,) = [post for post in await home.posts() if post.kind == "slack_message"]
    return found


@pytest.mark.parametrize("private", [False, True])
async def test_end_is_told_to_who_asked_where_the_bot_is_no_member(home: House, private: bool) -> None:
    home.slack.channels[0].member, home.slack.channels[0].private = False, private
    await home.types("run check")
    await send(home)
    assert len(home.slack.ephemerals) == 1  # that it is on its way
    await ends(home, tail=["no such table"])
    await send(home)
    told = home.slack.ephemerals[-1]
    assert (told.user, told.response_type, len(home.slack.ephemerals)) == ("U0OCTOCAT", "ephemeral", 2)
    for words in ("failed with exit code 3", "no such table", "/runs/1?", "|Log>", "`/invite @errand`"):
        assert words in told.text
    await ends(home)
    await send(home)
    assert len(home.slack.ephemerals) == 2
    assert (await card(home)).state == "open"


async def test_asker_is_told_that_it_waits_and_that_it_runs_once_each(home: House) -> None:
    home.slack.channels[0].member = False
    await home.types("run check")
    await send(home)
    begins = {"waiting_for": None, "state": "running", "started_at": home.now}
    for values in ({"waiting_for": "no room"}, begins):
        for _ in range(2):
            await home.write(lambda s: s.execute(update(Run).values(**values)))  # noqa: B023
            await home.write(lambda s: posts.want(s, "run", [1]))
            await send(home)
    _, waits, runs = home.slack.ephemerals
    assert "no room" in str(waits.blocks)
    assert "`/invite @errand`" in str(waits.blocks)
    assert "is running" in str(runs.blocks)
    await ends(home)
    await send(home)
    assert len(home.slack.ephemerals) == 4


async def test_bot_that_was_invited_meanwhile_posts_the_card(home: House) -> None:
    home.slack.channels[0].member = False
    await home.types("run check")
    await home.write(lambda s: s.execute(update(Run).values(state="running", started_at=home.now)))
    await send(home)
    home.slack.channels[0].member = True
    await ends(home)
    await send(home)
    assert (len(home.slack.messages), len(home.slack.ephemerals)) == (1, 2)


async def test_what_ends_when_slack_takes_no_answers_any_more_is_given_up(home: House) -> None:
    home.slack.channels[0].member = False
    await home.types("run check")
    await send(home)
    await ends(home)
    await send(home, RESPONSE_SECONDS + 1)
    assert ((await card(home)).state, len(home.slack.ephemerals)) == ("failed", 1)


async def test_channel_of_the_job_that_nobody_asked_in_is_refused_as_ever(home: House) -> None:
    next(each for each in home.slack.channels if each.name == "ops").member = False
    await home.says("/job run deploy SECRETIVE=x")
    await send(home)
    assert (await card(home)).state == "failed"


async def test_people_in_slack_are_mentioned(home: House) -> None:
    await home.types("run check")
    assert (await home.run(1)).actor == "slack:octocat"
    await send(home)
    assert "asked by <@U0OCTOCAT> in Slack" in str(home.slack.messages[0].blocks)
    assert "U0OCTOCAT" not in home.slack.messages[0].text


async def test_answer_to_a_mention_is_seen_by_the_asker_alone_in_the_thread(home: House) -> None:
    channel = home.slack.channels[0]
    event = {"type": "app_mention", "user": "U0OCTOCAT", "channel": channel.id}
    root = home.slack.write("how are we?", user="U0OCTOCAT")
    said = home.slack.write("<@U0ERRAND> run check", user="U0OCTOCAT", thread=root.ts)
    await home.tells({**event, "text": said.text, "ts": said.ts, "thread_ts": root.ts})
    await send(home)
    (told,) = home.slack.ephemerals
    assert (told.user, told.thread_ts, "on its way" in told.text) == ("U0OCTOCAT", root.ts, True)
    (message,) = [each for each in home.slack.messages if each.bot_id]
    assert (message.thread_ts, "check" in message.text) == (root.ts, True)


async def test_answer_to_who_is_not_in_the_channel_is_refused_once(home: House) -> None:
    channel = home.slack.channels[0]
    channel.people = {"U0SOMEBODY"}
    event = {"type": "app_mention", "user": "U0OCTOCAT", "channel": channel.id, "ts": "5.6"}
    await home.tells({**event, "text": "<@U0ERRAND> list"})
    await send(home)
    (post,) = [post for post in await home.posts() if post.kind == "slack_ephemeral"]
    assert (post.state, "user_not_in_channel" in str(post.error)) == ("failed", True)
