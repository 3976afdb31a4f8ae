"""Slash commands, the whole way."""

import pytest

from demo.installation import Installation
from demo.slack.doors import HttpDoor

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


async def test_old_and_new_secret_open_the_door_while_one_takes_the_place_of_the_other(
    errand: Installation,
) -> None:
    slack = errand.beside.slack
    door = slack.door
    assert isinstance(door, HttpDoor)
    old = door.secret
    statuses: list[int] = []
    try:
        for secret in ("the-secret-that-comes-next", old, "another"):
            door.secret = secret
            statuses.append((await errand.slash(f"status no-{len(statuses)}")).status_code)
    finally:
        door.secret = old
    assert statuses == [200, 200, 401]
    answers = [f"no-{number}" for number in range(2)]
    await slack.wait_for(lambda: all(any(word in each.text for each in slack.ephemerals) for word in answers))
    assert not any("no-2" in each.text for each in slack.ephemerals)
