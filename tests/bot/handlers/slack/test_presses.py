"""A button does what the command of the same person would do, once."""

from typing import Any

import pytest
from sqlalchemy import update

from bot.messages.slack.actions import Action
from bot.tables import Idempotency
from tests.bot.house import House


def press(home: House, action: str, value: str, *, user: str = "U0OCTOCAT", at: int = 1) -> dict[str, Any]:
    channel = home.slack.channels[0]
    return {
        "type": "block_actions",
        "trigger_id": f"{at}.p",
        "user": {"id": user, "team_id": home.slack.team_id},
        "channel": {"id": channel.id, "name": channel.name},
        "container": {"type": "message", "message_ts": "5.6", "channel_id": channel.id},
        "response_url": home.slack.response_url(channel.id, user),
        "actions": [{"type": "button", "action_id": action, "value": value, "action_ts": f"{at}.0"}],
    }


async def test_cancel_stops_the_run_and_its_card_says_so(home: House) -> None:
    await home.types("run check")
    assert await home.does(press(home, Action.RUN_CANCEL, "1")) == []
    run = await home.run(1)
    assert (run.result, run.stop_by) == ("cancelled", "slack:octocat")


async def test_button_of_somebody_who_may_not_does_nothing_and_says_why(home: House) -> None:
    await home.types("run check")
    for user, word in (("U0NOBODY", "slack.people"), ("U0STRANGER", "slack.people")):
        (reply,) = await home.does(press(home, Action.RUN_CANCEL, "1", user=user))
        assert word in reply
    assert (await home.run(1)).result is None


async def test_double_click_makes_one_run_and_a_later_click_another(home: House) -> None:
    await home.types("run check")
    await home.does(press(home, Action.RUN_CANCEL, "1"))
    for at in (2, 3):
        await home.does(press(home, Action.RUN_AGAIN, "1", at=at))
    assert [(await home.run(number)).rerun_of for number in (1, 2)] == [None, 1]
    with pytest.raises(AssertionError):
        await home.run(3)
    await home.store.write(lambda s: s.execute(update(Idempotency).values(created_at=home.now - 6)))
    await home.does(press(home, Action.RUN_AGAIN, "1", at=9))
    assert (await home.run(3)).rerun_of == 1


async def test_value_of_a_button_is_a_value_and_no_further_words(home: House) -> None:
    (reply,) = await home.does(press(home, Action.JOB_PAUSE, "plain\n/job run plain"))
    assert "invisible" in reply


async def test_button_that_is_only_a_link_does_nothing(home: House) -> None:
    await home.types("run check")
    assert await home.does(press(home, Action.RUN_LOG, "")) == []
