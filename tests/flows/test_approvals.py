"""Somebody else's yes, the whole way: asked for and given in a pull request, in Slack and over the API."""

from pathlib import Path

import httpx

from demo.installation import Where, installation
from tests.flows.test_commands import card

HERE = Path(__file__).parent
ASKED = "/job run migrate DRY_RUN=false"


async def test_run_starts_with_the_yes_of_somebody_else_through_every_door(
    tmp_path: Path, where: Where
) -> None:
    where = Where(**{**where, "config": HERE / "approvals.yaml"})
    async with installation(tmp_path, **where) as errand:
        errand.on_event = print  # shown when a test fails
        github, slack = errand.beside.github, errand.beside.slack
        github.add_person("acme/shop", "hubot", "write")

        await errand.comment("/job run migrate", author="octocat")  # which needs no yes
        await errand.wait_for(lambda: errand.ended([1]))

        await errand.comment(ASKED, author="octocat")
        await card(errand, "for a yes of", "yes: `/job approve #2` · no: `/job deny #2`")
        await errand.comment("/job approve #2", author="octocat")
        await card(errand, "You asked for #2 yourself")
        await errand.slash("approve 2")  # octocat is in Slack as well
        await slack.wait_for(
            lambda: any("You asked for #2 yourself" in each.text for each in slack.ephemerals)
        )
        await errand.comment("/job approve #2", author="hubot")
        await errand.wait_for(lambda: errand.ended([2]))
        await card(errand, "approved by `hubot`")

        await errand.comment(ASKED, author="hubot")
        await card(errand, "#3")
        await errand.slash("approve 3")
        await errand.wait_for(lambda: errand.ended([3]))

        release = await errand.token("release", "run:migrate")
        reader = await errand.token("reader", "read")
        await errand.comment(ASKED, author="hubot")
        await card(errand, "#4")
        async with httpx.AsyncClient(base_url=errand.url) as client:
            path = "/api/runs/4/approve"
            refused = await client.post(path, headers={"Authorization": f"Bearer {reader}"}, json={})
            assert refused.status_code == 403
            answer = await client.post(path, headers={"Authorization": f"Bearer {release}"}, json={})
            assert (answer.status_code, answer.json()["run"]["approval"]["count"]) == (200, 1)
        await errand.wait_for(lambda: errand.ended([4]))

        runs = (await errand.get("/api/runs", token=reader)).json()["runs"]
        given = [[each["actor"] for each in (run["approval"] or {"given": ()})["given"]] for run in runs]
        assert given == [["token:release"], ["slack:octocat"], ["github:hubot"], []]
        metrics = (await errand.get("/metrics")).text
        assert (
            'errand_approvals_total{answered_by="github:hubot",asked_by="github:octocat",'
            'job="migrate",outcome="approved"} 1.0'
        ) in metrics
