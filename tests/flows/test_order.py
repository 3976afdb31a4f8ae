"""Jobs in their order: refused too early, started by another one's success, and killed in between."""

from pathlib import Path

import pytest

from demo.installation import Installation, Where
from tests.flows.test_commands import card

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    """An installation with jobs that come after others, and that start others."""
    return Where(config=HERE / "order.yaml", sample=HERE / "repository")


async def test_chain_runs_once_in_its_order_through_all_doors_though_errand_is_killed(
    errand: Installation,
) -> None:
    github, slack, token = errand.beside.github, errand.beside.slack, await errand.token("ci", "admin")
    gate, marks = errand.home / "gate", errand.home / "marks"
    await errand.comment("/job run live")
    await card(errand, "`live` is not started", "it has not run for it", "run stage --ref")

    await errand.comment(f"/job run stage MARKS={marks} GATE={gate}")
    await card(errand, "**stage**", "is running", "chain: ", "`announce` is to follow")
    await errand.comment("/job run live")
    await card(errand, "`live` is not started", "#1 is running")
    gate.touch()
    await errand.kill()
    await errand.start()
    await errand.wait_for(lambda: errand.ended([1, 2, 3]))
    found = await card(errand, "**stage**", "succeeded", "❌ `broken`", "✅ `announce`")
    assert found.body.count("`announce`") == 1
    assert marks.read_text() == "stage\n"

    run = (await errand.get("/api/runs/1", token=token)).json()
    assert [each["job"] for each in run["followed"]] == ["announce", "broken"]
    listed = (await errand.get("/api/runs?chain=1", token=token)).json()["runs"]
    assert [(each["number"], each["follows"]) for each in listed] == [(3, 1), (2, 1), (1, None)]
    assert [each["parameters"] for each in listed if each["job"] == "announce"] == [{"WORDS": "staged"}]
    checks = {check.name: check.conclusion for check in github.checks}
    assert (checks["errand / announce"], checks["errand / broken"]) == ("success", "failure")
    await slack.wait_for(lambda: any("announce" in str(each.blocks) for each in slack.messages))

    await errand.comment("/job run live")
    await card(errand, "**live**", "succeeded")
