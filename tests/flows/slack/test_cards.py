"""Cards of runs, the whole way: what they say and show, and what their buttons do."""

import pytest

from demo.installation import Installation
from demo.slack import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _card(errand: Installation, number: int, words: str) -> Message:
    """The message of a run once it says `words`."""
    slack = errand.beside.slack

    def there() -> Message | None:
        cards = (each for each in slack.messages if f"#{number} " in each.text and each.thread_ts is None)
        return next((each for each in cards if words in each.text), None)

    return await slack.wait_for(there)


async def test_what_fails_says_why_below_its_card_and_runs_again_by_a_button(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run broken")
    card = await _card(errand, 1, "failed with exit code 3")
    below = await slack.wait_for(
        lambda: next((each for each in slack.messages if each.thread_ts == card.ts), None)
    )
    assert "the disk is full" in str(below.blocks)
    assert "the disk is full" not in str(card.blocks)
    assert "asked by <@U012AB3CD> in Slack" in str(card.blocks)
    await slack.press(card, "run.again")
    again = await _card(errand, 2, "failed with exit code 3")
    assert "again from #1, exactly" in str(again.blocks)


async def test_what_runs_is_cancelled_by_a_button_that_is_gone_then(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run long")
    card = await _card(errand, 3, "is running")
    await slack.press(card, "run.cancel")
    await _card(errand, 3, "was cancelled")
    assert "run.cancel" not in str(card.blocks)
    assert "run.again" in str(card.blocks)


async def test_last_runs_are_drawn_and_said_where_that_is_not_known(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("status broken")
    chart = await slack.wait_for(
        lambda: next((each for each in slack.ephemerals if "chart" in str(each.blocks)), None)
    )
    assert chart.blocks[-1]["chart"]["axis_config"]["categories"] == ["#1", "#2"]
    slack.refused_blocks = {"data_visualization"}
    await errand.slash("status broken")
    said = await slack.wait_for(
        lambda: next((each for each in slack.ephemerals if "▰" in each.text and not each.blocks), None)
    )
    assert "The last 2 runs: 2 failed." in said.text
