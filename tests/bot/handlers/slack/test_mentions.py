"""A mention works like the command, also in threads, once for each message."""

from typing import Any

import pytest

from bot.tables import Post
from tests.bot.house import House

ERRAND = "<@U0ERRAND>"


def mention(
    home: House, text: str, *, ts: str = "5.6", user: str = "U0OCTOCAT", **more: Any
) -> dict[str, Any]:
    channel = home.slack.channels[0].id
    return {"type": "app_mention", "user": user, "text": text, "ts": ts, "channel": channel, **more}


async def cards(home: House) -> list[Post]:
    return [post for post in await home.posts() if post.kind == "slack_message"]


async def test_mention_runs_a_job_and_its_card_goes_into_the_channel(home: House) -> None:
    assert await home.tells(mention(home, f"{ERRAND} run check")) == ["check #\u200b1 is on its way."]
    run = await home.run(1)
    assert (run.cause, run.actor) == ("slack", "slack:octocat")
    (card,) = await cards(home)
    assert card.place == {"channel": home.slack.channels[0].id, "asked": True}


async def test_mention_in_a_thread_is_answered_there_and_its_card_is_there(home: House) -> None:
    await home.tells(mention(home, f"{ERRAND} run deploy SECRETIVE=x", ts="7.8", thread_ts="5.6"))
    channel = home.slack.channels[0].id
    places = [(post.kind, post.place) for post in await home.posts() if post.kind.startswith("slack")]
    assert places == [
        ("slack_message", {"channel": "#ops"}),  # of `notify`, which everybody reads
        ("slack_message", {"channel": channel, "thread": "5.6", "asked": True}),
        ("slack_ephemeral", {"channel": channel, "thread": "5.6", "user": "U0OCTOCAT"}),
    ]


async def test_channel_that_the_job_tells_anyway_is_told_once(home: House) -> None:
    await home.tells(mention(home, f"{ERRAND} run deploy SECRETIVE=x"))
    assert [post.place["channel"] for post in await cards(home)] == ["#ops"]


async def test_event_that_comes_again_under_another_id_changes_nothing(home: House) -> None:
    event = mention(home, f"{ERRAND} run check\n{ERRAND} run check")
    assert len(await home.tells(event)) == 1
    assert await home.tells(event, id="EvOther") == []
    with pytest.raises(AssertionError):
        await home.run(3)


async def test_several_lines_are_carried_out_in_order_and_answered_together(home: House) -> None:
    (reply,) = await home.tells(mention(home, f"please\n{ERRAND} run check\n{ERRAND} cancel\nthanks"))
    assert reply.index("on its way") < reply.index("being stopped")
    assert (await home.run(1)).result == "cancelled"


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{ERRAND} run check\n```",
        f"`{ERRAND} run check`",
        f"&gt; {ERRAND} run check",
        f"could {ERRAND} run check?",
        "<@U0OTHER> run check",
        f"```{ERRAND} run check",
    ],
)
async def test_code_quotes_and_talk_about_errand_start_nothing(home: House, text: str) -> None:
    assert await home.tells(mention(home, text)) == []
    assert await cards(home) == []


@pytest.mark.parametrize("more", [{"edited": {"user": "U0OCTOCAT", "ts": "9.9"}}, {"bot_id": "B0OTHER"}])
async def test_edits_and_programs_start_nothing(home: House, more: dict[str, Any]) -> None:
    assert await home.tells(mention(home, f"{ERRAND} run check", **more)) == []
    assert await cards(home) == []


async def test_answers_tell_what_to_type_in_a_thread(home: House) -> None:
    (reply,) = await home.tells(mention(home, f"{ERRAND} help", thread_ts="1.2"))
    assert "@errand run NAME" in reply
    assert "/job" not in reply


@pytest.mark.parametrize("subtype", ["thread_broadcast", "file_share"])
async def test_answer_that_the_channel_sees_too_and_message_with_a_file_count(
    home: House, subtype: str
) -> None:
    await home.tells(mention(home, f"{ERRAND} run check", thread_ts="1.2", subtype=subtype))
    assert (await home.run(1)).job == "check"


async def test_who_may_not_hears_it_in_the_thread_and_nothing_starts(home: House) -> None:
    event = mention(home, f"{ERRAND} run check", user="U0NOBODY", thread_ts="1.2")
    (reply,) = await home.tells(event)
    assert "slack.people" in reply
    assert await cards(home) == []


async def test_values_are_what_was_typed(home: House) -> None:
    text = f"{ERRAND}: run plain WHO=“a &lt;b&gt; &amp; <https://x.example|x.example>”"
    (reply,) = await home.tells(mention(home, text))
    assert "no repository" in reply  # and so it was read to its end
