"""An installation that GitHub never reaches, beside a GitHub Enterprise Server: it asks for what was sent."""

import uuid
from pathlib import Path

from demo import deliveries
from demo.arrivals import GITHUB_SECRET, PERSON, PULL, REPOSITORY
from demo.installation import Installation, Where, installation

HERE = Path(__file__).parent


def _comment(errand: Installation, body: str) -> deliveries.Delivery:
    """Somebody comments, and GitHub cannot deliver it; gives what it would have sent."""
    github, guid = errand.beside.github, str(uuid.uuid4())
    made = github.add_comment(REPOSITORY, PULL, PERSON, body)
    payload = deliveries.issue_comment(
        REPOSITORY, PULL, made.id, PERSON, body, private=True, at=errand.clock()
    )
    github.record("issue_comment", guid, payload)
    return deliveries.github(GITHUB_SECRET, "issue_comment", guid, payload)


async def _cards(errand: Installation, count: int) -> list[str]:
    """Our comments once so many runs succeeded."""
    github = errand.beside.github

    def ended() -> list[str]:
        bodies = [each.body for each in github.comments if each.login == github.bot_login]
        return bodies if sum("succeeded" in each for each in bodies) == count else []

    return await github.wait_for(ended, 40)


async def test_what_github_could_not_deliver_is_fetched_and_counts_once(tmp_path: Path, where: Where) -> None:
    made: Where = {**where, "config": HERE / "unreached.yaml", "enterprise": True}
    async with installation(tmp_path, **made) as errand:
        github = errand.beside.github
        while_it_runs = _comment(errand, "/job run hello NAME=one")
        assert len(await _cards(errand, 1)) == 1

        await errand.stop()
        while_it_is_away = _comment(errand, "/job run hello NAME=two")
        await errand.start()
        assert len(await _cards(errand, 2)) == 2

        for late in (while_it_runs, while_it_is_away):
            assert (await errand.deliver("/webhooks/github", late)).status_code == 202
        looks = github.count("hook/deliveries$")
        await github.wait_for(lambda: github.count("hook/deliveries$") > looks + 1, 40)
        assert len(await _cards(errand, 2)) == 2
        places = {request.path.partition("/repos/")[0] for request in github.requests}
        assert all(place.startswith(("/api/v3", "/api/graphql")) for place in places), places
        assert [each["key"] for each in errand.events if each.get("event") == "delivery.fetched"] == [
            f"github:{each.headers['X-GitHub-Delivery']}" for each in (while_it_runs, while_it_is_away)
        ]
