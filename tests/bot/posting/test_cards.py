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
