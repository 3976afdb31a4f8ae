"""Who may, the whole way: a team in a pull request, a group in Slack, a named token, nobody else."""

from pathlib import Path

import httpx

from demo.installation import Installation, Where, installation
from tests.flows.test_commands import card

HERE = Path(__file__).parent
WHOM = "is for `ops`; ask one of them"


async def start(errand: Installation, token: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=errand.url) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return await client.post("/api/jobs/restart/start", headers=headers, json={})


async def test_rule_of_a_job_holds_at_every_door(tmp_path: Path, where: Where) -> None:
    where = Where(**{**where, "config": HERE / "who.yaml"})
    async with installation(tmp_path, **where) as errand:
        errand.on_event = print  # shown when a test fails
        github, slack = errand.beside.github, errand.beside.slack
        github.add_to_team("acme", "ops", "opsie")
        for each in github.state.installations.values():
            each.permissions["members"] = "read"
        oncall, other = (slack.add_person(name) for name in ("oncall", "other"))
        slack.add_group("oncall", oncall)

        await errand.comment("/job run restart", author="octocat")  # who may write, and is of no team
        await card(errand, WHOM)
        await errand.comment("/job run restart", author="opsie")  # who may not even read
        await errand.wait_for(lambda: errand.ended([1]))

        await errand.slash("run restart", person=other.id)
        await slack.wait_for(lambda: any(WHOM in each.text for each in slack.ephemerals))
        await errand.slash("run restart", person=oncall.id)
        await errand.wait_for(lambda: errand.ended([2]))

        reader = await errand.token("reader", "read", "run:restart")
        refused = await start(errand, reader)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:errand:problem:not-allowed")
        assert (await start(errand, await errand.token("deploy", "run:restart"))).status_code == 201

        runs = (await errand.get("/api/runs", token=reader)).json()["runs"]
        actors = ["token:deploy", f"slack:{oncall.id}", "github:opsie"]
        assert [each["actor"] for each in runs] == actors
