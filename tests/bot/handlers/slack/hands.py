"""People of the stand-in for Slack whose hands reach the house: what they do is handled at once."""

import json
from urllib.parse import urlencode

import httpx

from bot.composition import Composition
from bot.handlers.slack.instant import InstantAnswers
from demo.slack.doors import Sending
from tests.bot.house import House

OCTOCAT = "U0OCTOCAT"


def text_of(blocks: object) -> str:
    """All that stands in blocks."""
    return json.dumps(blocks, ensure_ascii=False)


def let_in(home: House) -> Composition:
    """Have what people do in Slack arrive in the house, by one bot that remembers."""
    bot = home.bot

    async def door(sending: Sending) -> httpx.Response:
        match sending.kind:
            case "events_api":
                event, body = "event", json.dumps(sending.payload).encode()
            case "slash_commands":
                event, body = "command", urlencode(sending.payload).encode()
            case _:
                answer = InstantAnswers(home.tools.registry).of(sending.payload)
                if answer is not None:
                    return httpx.Response(200, json=answer)
                event, body = "interactivity", urlencode({"payload": json.dumps(sending.payload)}).encode()
        await bot.deliveries.handle(await home.deliver(event, body, source="slack"))
        return httpx.Response(200)

    home.slack.door = door
    return bot
