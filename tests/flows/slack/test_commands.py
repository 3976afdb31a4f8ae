"""Slash commands, the whole way."""

import pytest

from demo.installation import Installation

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_command_that_is_sent_again_runs_once(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run hello NAME=Ada")
    await slack.repeat()
    card = await slack.wait_for(lambda: next((each for each in slack.messages if "hello" in each.text), None))
    await slack.wait_for(lambda: "succeeded" in card.text)
    await slack.repeat("http_error", attempt=2)
    await errand.slash("run nothing")
    await slack.wait_for(lambda: any("nothing" in each.text for each in slack.ephemerals))
    assert [each.text for each in slack.messages if "hello" in each.text] == [card.text]
