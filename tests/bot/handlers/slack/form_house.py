"""A house in which forms of Slack are opened, filled in and sent."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.messages.slack import elements as made
from bot.tables import Run
from demo.slack import Message, SlackStandIn, View
from tests.bot.handlers.slack.hands import let_in
from tests.bot.house import House, house

JOBS = (
    """
migrate:
  image: shop
  command: ["run"]
  arguments: true
  concurrency: forbid
  description: Migrates the database
  parameters:
    COUNT: {type: integer, minimum: 1, maximum: 10, required: true, description: How many}
    WHERE: {choices: [staging, production], default: staging}
    DRY: {type: boolean, default: true}
    SINCE: {pattern: '\\d{4}-\\d\\d-\\d\\d'}
    NOTE: {}
nightly:
  image: shop
  command: "true"
  schedule: {cron: "0 3 * * *"}
pick:
  image: shop
  command: "true"
  parameters:
    SHARE: {type: number, minimum: 0.5, default: 0.75}
    SURE: {type: boolean, required: true}
    NOTES: {default: "two\\nlines"}
    ITEM:
      required: true
      choices:
"""
    + "".join(f"      - item-{n}\n" for n in range(120))
    + """
wide:
  image: shop
  command: "true"
  parameters:
"""
    + "".join(f"    P{n}: {{required: true}}\n" for n in range(91))
)
USER = "U0OCTOCAT"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[House]:
    """A house at whose door Slack's people press, fill in and submit."""
    async with house(tmp_path, jobs=JOBS) as made:
        let_in(made)
        made.slack.add_person("octocat", id=USER)
        yield made


def view_of(slack: SlackStandIn) -> View:
    """The one modal that is open."""
    (view,) = [each for each in slack.views if each.open]
    return view


def filled(view: View) -> dict[str, Any]:
    """What stands in the inputs."""
    states = {block: next(iter(actions.values())) for block, actions in view.values.items()}
    return {
        block: next((state[key] for key in state if key != "type"), None) for block, state in states.items()
    }


def words(view: View) -> str:
    """All that a modal says."""
    return str(view.blocks)


async def replies(home: House) -> list[str]:
    return [post.text for post in await home.posts() if post.text]


async def started(home: House) -> list[Run]:
    runs = [await home.store.read(lambda s, n=n: s.get(Run, n)) for n in range(1, 5)]  # type: ignore[misc]
    return [run for run in runs if run is not None]


def option(value: str, text: str | None = None) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text or value, "emoji": False}, "value": value}


def with_button(home: House, action: str, value: str) -> Message:
    """A message of ours in the first channel with one button."""
    slack = home.slack
    blocks = [made.actions(made.button("Press", action, value))]
    ts = slack.stamp()
    message = Message(slack.channels[0].id, ts, slack.bot_id, None, [("x", blocks)])
    slack.messages.append(message)
    return message


async def ended(home: House, number: int) -> None:
    """A run is over, so that another one may begin."""
    await home.types(f"cancel #{number}")
    assert (await home.run(number)).result == "cancelled"
