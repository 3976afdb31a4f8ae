"""Slack without a public address, the whole way, while connections are renewed, break and overlap."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from demo.installation import Installation, installation
from demo.slack.socket_mode import Connection
from tests.flows.slack.conftest import HERE

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def errand(tmp_path_factory: pytest.TempPathFactory, forked: None) -> AsyncIterator[Installation]:
    """A service with an app token, and without a signing secret."""
    home = tmp_path_factory.mktemp("socket")
    config = home / "socket.yaml"
    text = (HERE / "app.yaml").read_text()
    config.write_text(re.sub("signing_secret: .*", "app_token: ${SLACK_APP_TOKEN}", text))
    sample = HERE.parent / "repository"
    async with installation(home, config=config, sample=sample, environ={}) as made:
        made.on_event = print  # shown when a test fails
        await _connections(made, 1)  # what is sent before that is for nobody
        yield made
        await made.beside.slack.socket_mode.stop()


async def _connections(errand: Installation, number: int) -> list[Connection]:
    """The connections, once there are so many."""
    slack = errand.beside.slack
    await slack.wait_for(lambda: len(slack.socket_mode.connections) == number)
    return list(slack.socket_mode.connections)


async def _greets(errand: Installation, name: str) -> None:
    """The run of this name has succeeded, and has one message."""
    slack = errand.beside.slack

    def ended() -> bool:
        cards = [each.text for each in slack.messages if name in str(each.blocks) + each.text]
        assert len(cards) <= 1
        return any("succeeded" in each for each in cards)

    await slack.wait_for(ended)


async def test_command_comes_through_the_connection_and_the_door_stays_closed(errand: Installation) -> None:
    await errand.slash("run hello NAME=Ada")
    await _greets(errand, "Ada")
    assert (await errand.client.post("/webhooks/slack", content=b"{}")).status_code == 503
    assert (await errand.client.get("/readyz")).text == "ready\n"


async def test_mistakes_in_a_form_come_with_the_acknowledgement(errand: Installation) -> None:
    slack = errand.beside.slack
    await errand.slash("run migrate")
    view = await slack.wait_for(lambda: next((each for each in slack.views if each.open), None))
    wrong = await slack.submit(view, {"parameter.SINCE": "2026-01-31", "ref": "not a ref"})
    assert set(wrong.json()["errors"]) == {"ref"}
    await slack.submit(view, {"ref": None})
    assert not view.open
    await slack.wait_for(
        lambda: any("migrate" in each.text and "succeeded" in each.text for each in slack.messages)
    )


async def test_button_and_mention_come_the_same_way(errand: Installation) -> None:
    slack = errand.beside.slack
    await slack.mention("run long")
    card = await slack.wait_for(
        lambda: next((each for each in slack.messages if "run.cancel" in str(each.blocks)), None)
    )
    await slack.press(card, "run.cancel")
    await slack.wait_for(lambda: "cancelled" in card.text)


async def test_nothing_is_lost_or_doubled_while_one_connection_takes_the_place_of_another(
    errand: Installation,
) -> None:
    [old] = await _connections(errand, 1)
    await old.disconnect("warning")
    both = await _connections(errand, 2)
    names = ["Bea", "Cleo", "Dora", "Enid"]
    for name in names:
        await errand.slash(f"run hello NAME={name}")
    for each in both:  # what was not seen to be acknowledged comes again, and over the other one
        await errand.beside.slack.socket_mode.send_again(each)
    await old.end()
    await errand.slash("run hello NAME=Fay")
    for name in (*names, "Fay"):
        await _greets(errand, name)
    await _connections(errand, 1)


async def test_broken_connection_is_replaced_and_what_is_sent_meanwhile_arrives(errand: Installation) -> None:
    [first] = await _connections(errand, 1)
    first.drop()
    await errand.slash("run hello NAME=Gwen")
    await errand.beside.slack.socket_mode.send_again()
    await _greets(errand, "Gwen")


async def test_slack_that_is_away_is_told_and_waited_for(errand: Installation) -> None:
    slack = errand.beside.slack
    [first] = await _connections(errand, 1)
    slack.fail("/api/apps.connections.open$", 503, times=1000)
    first.drop()
    await errand.wait_for(lambda: any(each.get("event") == "slack.unreachable" for each in errand.events))
    answer = await errand.client.get("/readyz")
    assert (answer.status_code, "not connected" in answer.text) == (200, True)
    slack.mend()
    await _connections(errand, 1)
    await errand.slash("run hello NAME=Hope")
    await _greets(errand, "Hope")
