"""The commit that was meant, what a job requires of it, and the App where there is none yet."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.arrivals import PULL, REPOSITORY
from demo.github.state import Check, Move, PullReview
from demo.installation import Installation, installation
from tests.flows.github.test_checks import card

HERE = Path(__file__).parent


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service with a job that requires something."""
    async with installation(
        tmp_path, config=HERE / "app.yaml", sample=HERE.parent / "repository", environ={}
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def test_job_runs_once_all_holds_and_on_the_commit_that_was_meant(errand: Installation) -> None:
    github = errand.beside.github
    shop = github.state.repositories[REPOSITORY]
    pull = shop.pulls[PULL]
    github.add_person(REPOSITORY, "hubot", "write")

    await errand.comment("/job run deploy")
    refusal = await card(errand, "`deploy` was not started", "❌ `checks`", "❌ `review`")
    assert "`base`" not in refusal.body
    assert github.state.checks == []

    test = Check(next(github.state.ids), REPOSITORY, pull.head_sha, 15368, "test")
    test.status, test.conclusion, test.started_at = "completed", "success", "2026-01-01T00:00:00Z"
    github.state.checks.append(test)
    pull.reviews.append(PullReview("hubot", "APPROVED", pull.head_sha))
    await errand.comment("/job plan deploy")
    await card(errand, "✅ `base`", "✅ `checks`", "✅ `review`", "nothing is in its way")
    await errand.comment("/job run deploy")
    assert pull.head_sha[:7] in (await card(errand, "#1", "succeeded")).body

    before = shop.refs.get("main") or shop.resolve("main")
    assert before is not None
    shop.moves.append(Move(f"refs/heads/{pull.head_ref}", before, pull.head_sha, errand.clock() + 5))
    await errand.comment("/job run deploy")
    refusal = await card(errand, "other commits since")
    (line,) = re.findall(r"`(/job run deploy --ref [0-9a-f]{40})`", refusal.body)
    await errand.comment(line)
    await card(errand, "#2", "succeeded")


async def test_service_without_an_app_has_the_page_that_makes_one(tmp_path: Path) -> None:
    config = tmp_path / "none.yaml"
    config.write_text("url: ${ERRAND_URL}\ndatabase: ${ERRAND_DATABASE:-sqlite:///errand.db}\n")
    async with installation(tmp_path, config=config, sample=HERE.parent / "repository", environ={}) as errand:
        (opened,) = [each for each in errand.events if each.get("event") == "setup.open"]
        address = str(opened["address"])
        assert (await errand.client.get("/setup/github")).status_code == 200  # from this machine
        elsewhere = {"X-Forwarded-For": "198.51.100.7"}
        assert (await errand.client.get("/setup/github", headers=elsewhere)).status_code == 403
        page = (await errand.client.get(address, headers=elsewhere)).text
        manifest = re.search(r'name="manifest" value="([^"]+)"', page)
        assert manifest is not None
        assert json.loads(manifest[1].replace("&#34;", '"'))["default_permissions"]["checks"] == "write"
