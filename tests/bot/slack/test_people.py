"""Who is ours, whom Slack only shows, and who is nobody. https://docs.slack.dev/reference/objects/user-object"""

from typing import Any

import pytest

from bot.slack.people import Home, person_of

ALONE = Home("T0ACME")
GRID = Home("T0ACME", "E0ACME")


def user(**about: Any) -> dict[str, Any]:
    return {"id": "U1", "team_id": "T0ACME", "name": "kim", **about}


SIBLING = {"enterprise_id": "E0ACME", "teams": ["T0SISTER"]}


@pytest.mark.parametrize(
    ("home", "about", "stranger"),
    [
        (ALONE, {}, False),
        (ALONE, {"team_id": "T0OTHER"}, True),
        # Slack says of people with whom the bot shares a channel that they are no strangers.
        (ALONE, {"team_id": "T0OTHER", "is_stranger": False}, True),
        (ALONE, {"is_stranger": True}, True),
        (ALONE, {"team_id": None}, True),
        (ALONE, {"team_id": "T0SISTER", "enterprise_user": SIBLING}, True),
        (GRID, {"team_id": "T0SISTER", "enterprise_user": SIBLING}, False),
        (GRID, {"team_id": "E0ACME", "enterprise_user": {"enterprise_id": "E0ACME"}}, False),
        (GRID, {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": "E0OTHER"}}, True),
        (GRID, {"team_id": "T0OTHER", "enterprise_user": {"enterprise_id": ""}}, True),
        (GRID, {"team_id": "T0OTHER", "enterprise_user": "E0ACME"}, True),
        (ALONE, {"team_id": "T0SISTER", "enterprise_user": {"teams": ["T0ACME", 7]}}, False),
        (ALONE, {"team_id": "", "enterprise_user": {"enterprise_id": ""}}, True),
    ],
)
def test_who_is_of_another_workspace(home: Home, about: dict[str, Any], stranger: bool) -> None:
    assert person_of(user(**about), home).is_stranger is stranger


@pytest.mark.parametrize("name", ["is_bot", "is_workflow_bot", "is_connector_bot"])
def test_every_kind_of_program_is_one(name: str) -> None:
    assert person_of(user(**{name: True}), ALONE).is_bot
    assert not person_of(user(**{name: "no"}), ALONE).is_bot
    assert person_of({"id": "USLACKBOT", "team_id": "T0ACME"}, ALONE).is_bot
