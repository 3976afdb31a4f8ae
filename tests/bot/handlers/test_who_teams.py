"""Rules that name teams: what they cost to ask, and who hears of them."""

from pathlib import Path

import pytest

from tests.bot.handlers.test_who import by_page, runs_of
from tests.bot.house import SITE, house

SHOWN = {"command": "true", "image": "site", "allow": ["github:@acme/ops", "github:lead"]}

TEAMS = [f"github:@acme/team-{number}" for number in range(60)]


@pytest.mark.parametrize(("team", "may"), [("team-7", True), ("below", True), ("team-99", False)])
async def test_many_teams_cost_one_question(tmp_path: Path, team: str, may: bool) -> None:
    sets = {f"s{number}": TEAMS for number in range(3)}
    changes = {"people": sets, "jobs": {"big": {"command": "true", "allow": [*sets, "github:@acme/ops"]}}}
    async with house(tmp_path, changes=changes) as home:
        for installation in home.github.state.installations.values():
            installation.permissions["members"] = "read"
        home.github.add_to_team("acme", team, "opsie")
        home.github.state.organizations["acme"].parents["below"] = "team-3"
        assert await runs_of(home, "big", by_page(home, "opsie", "big")) is may
        assert [each.path for each in home.github.requests if "/teams/" in each.path] == []
        assert len([each for each in home.github.requests if each.path == "/graphql"]) == 1


async def test_where_everybody_reads_it_neither_teams_nor_people_are_named(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"jobs": {"shown": SHOWN}}) as home:
        for installation in home.github.state.installations.values():
            installation.permissions["members"] = "read"
        home.github.add_to_team("acme", "ops", "opsie")
        (reply,) = await home.says("/job run shown", author="octocat", repository=SITE, private=False)
        assert "running `shown` is for those whom its rule names." in reply
        assert "ops" not in reply
        assert await runs_of(
            home, "shown", home.says("/job run shown", author="opsie", repository=SITE, private=False)
        )
        before = len(home.github.requests)
        await home.says("/job run shown", author="stranger", repository=SITE, private=False)
        asked = [each.path for each in home.github.requests[before:]]
        team = "/orgs/acme/teams/ops"  # whose being there is asked once in ten minutes, not for everybody
        assert [path.split("/collaborators/")[-1] for path in asked if "/installation" not in path] == [
            "stranger/permission",
            f"{team}/memberships/stranger",
            team,
        ]
