"""What people press on a card, the whole way."""

import pytest

from demo.installation import Installation
from demo.slack import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def card(errand: Installation, *words: str) -> Message:
    """The newest message that has all these words."""
    slack = errand.beside.slack
    return await slack.wait_for(
        lambda: next(
            (each for each in reversed(slack.messages) if all(word in str(each.blocks) for word in words)),
            None,
        )
    )


async def test_cancel_stops_what_runs_and_run_again_starts_it_once_more(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run long")
    running = await card(errand, "long", "run.cancel", "running")
    await slack.press(running, "run.cancel", user="U0STRANGER")
    await slack.wait_for(lambda: any("slack.people" in each.text for each in slack.ephemerals))
    await slack.press(running, "run.cancel")
    stopped = await card(errand, "long", "cancelled", "run.again")
    assert stopped is running
    for _ in range(2):
        await slack.press(stopped, "run.again")
    again = await card(errand, "long", "#2", "running")
    assert again is not running
    await slack.press(again, "run.cancel")
    await card(errand, "#2", "cancelled")
    assert sum("long" in str(each.blocks) for each in slack.messages) == 2
