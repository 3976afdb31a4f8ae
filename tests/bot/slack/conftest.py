"""The client of Slack, before a workspace with one channel."""

from collections.abc import AsyncIterator

import pytest

from bot.slack import Slack
from demo.slack import SlackStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.clocks import Clock, clock

__all__ = ["clock"]


@pytest.fixture
async def standin(clock: Clock) -> AsyncIterator[SlackStandIn]:
    slack = SlackStandIn(clock=clock)
    slack.add_channel("ops")
    async with serving(slack) as url:
        slack.url = url
        yield slack


@pytest.fixture
async def bot(standin: SlackStandIn, clock: Clock) -> AsyncIterator[Slack]:
    slack = Slack(api_url=f"{standin.url}/api/", bot_token=Secret(standin.token), clock=clock)
    yield slack
    await slack.close()
