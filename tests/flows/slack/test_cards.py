"""Cards of runs, the whole way: what they say and show, and what their buttons do."""

import re

import pytest

from demo.installation import Installation
from demo.slack import Message

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _number(card: Message) -> int:
    """The run that a card is about."""
    found = re.search(r"#(\d+) ", card.text)
    return int(found[1]) if found else 0


async def _card(errand: Installation, job: str, words: str, *, after: int = 0) -> Message:
    """The message of the newest run of a job, younger than run `after`, once it says `words`."""
    slack = errand.beside.slack

    def there() -> Message | None:
        cards = [each for each in slack.messages if f"{job} #" in each.text and each.thread_ts is None]
        newest = max(cards, key=_number, default=None)
        fitting = newest is not None and _number(newest) > after and words in newest.text
        return newest if fitting else None

    return await slack.wait_for(there)


def _newest(errand: Installation) -> int:
    """The number of the newest run so far."""
    return max((_number(each) for each in errand.beside.slack.messages), default=0)


async def test_what_fails_says_why_below_its_card_and_runs_again_by_a_button(errand: Installation) -> None:
    slack, before = errand.beside.slack, _newest(errand)
    await errand.slash("run broken")
    card = await _card(errand, "broken", "failed with exit code 3", after=before)
    below = await slack.wait_for(
        lambda: next((each for each in slack.messages if each.thread_ts == card.ts), None)
    )
    assert "the disk is full" in str(below.blocks)
    assert "the disk is full" not in str(card.blocks)
    assert "asked by <@U012AB3CD> in Slack" in str(card.blocks)
    await slack.press(card, "run.again")
    again = await _card(errand, "broken", "failed with exit code 3", after=_number(card))
    assert f"again from #{_number(card)}, exactly" in str(again.blocks)


async def test_what_runs_is_cancelled_by_a_button_that_is_gone_then(errand: Installation) -> None:
    await errand.slash("run long")
    card = await _card(errand, "long", "is running")
    await errand.beside.slack.press(card, "run.cancel")
    await _card(errand, "long", "was cancelled")
    assert "run.cancel" not in str(card.blocks)
    assert "run.again" in str(card.blocks)


async def test_last_runs_are_drawn_and_said_where_that_is_not_known(errand: Installation) -> None:
    slack, newest = errand.beside.slack, _newest(errand)
    for _ in range(2):  # one is no picture
        await errand.slash("run broken")
        newest = _number(await _card(errand, "broken", "failed with exit code 3", after=newest))
    await errand.slash("status broken")
    chart = await slack.wait_for(
        lambda: next((each for each in slack.ephemerals if "chart" in str(each.blocks)), None)
    )
    drawn = chart.blocks[-1]["chart"]["axis_config"]["categories"]
    assert drawn[-1] == f"#{newest}"
    slack.refuse_blocks("data_visualization")
    await errand.slash("status broken")
    said = await slack.wait_for(
        lambda: next((each for each in slack.ephemerals if "▰" in each.text and not each.blocks), None)
    )
    assert f"{len(drawn)} failed." in said.text
