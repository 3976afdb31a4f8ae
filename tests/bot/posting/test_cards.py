"""What a card on GitHub leads to, and the command as it was typed."""

from bot.store import posts
from tests.bot.house import SHOP, House
from tests.bot.posting.test_outbox import send


async def test_card_leads_to_the_message_in_slack_and_shows_what_was_typed(home: House) -> None:
    home.github.state.repositories[SHOP].private = True
    typed = "/job run deploy SECRETIVE=x"
    await home.says(typed)
    await send(home)
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    (message,) = home.slack.messages
    body = home.github.comments[-1].body
    assert f"/archives/{home.slack.channels[0].id}/p{message.ts.replace('.', '')})" in body
    assert f"```text\n{typed}\n```" in body
    assert "[build \u200b1](https://errand.example.com/builds/1?" in body
    comment = home.github.comments[-1].id
    page = f"{home.beside.github_url}/Acme/Shop/pull/7"
    assert f"{page}|#7> · <{page}#issuecomment-{comment}|comment>" in str(message.blocks)


async def test_slack_that_does_not_answer_keeps_no_card_back(home: House) -> None:
    home.slack.say("auth.test", "internal_error", times=100)
    await home.says("/job run deploy SECRETIVE=x")
    await send(home)
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    assert "[Slack]" not in home.github.comments[-1].body
    assert len(home.github.comments[-1].history) == 2


async def test_check_leads_into_the_thread_where_the_message_is(home: House) -> None:
    home.github.state.repositories[SHOP].private = True
    channel = home.slack.channels[0]
    root = home.slack.write("how are we?", user="U0OCTOCAT")
    said = home.slack.write("<@U0ERRAND> run check", user="U0OCTOCAT", thread=root.ts)
    event = {"type": "app_mention", "user": "U0OCTOCAT", "channel": channel.id}
    await home.tells({**event, "text": said.text, "ts": said.ts, "thread_ts": root.ts})
    await send(home)
    await home.write(lambda s: posts.want(s, "run", [1], posts.Wish.URGENT))
    await send(home)
    (card,) = [each for each in home.slack.messages if each.bot_id]
    assert card.thread_ts == root.ts
    (check,) = [each for each in home.github.checks if "build" not in each.name]
    there = f"{channel.id}/p{card.ts.replace('.', '')}?thread_ts={root.ts}&cid={channel.id}"
    assert there in str(check.output["summary"])
