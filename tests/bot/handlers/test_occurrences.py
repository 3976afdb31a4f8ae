"""What happens in a repository besides pushes and comments starts the jobs that name it, once each."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from bot.states import Cause, State
from bot.tables import Run
from demo import happenings
from tests.bot.happening import all_runs, built, deployed, happens, move, tell
from tests.bot.house import HEAD, SHOP, SITE, House, house

CHANGES = {
    "jobs": {
        "check": {
            "on": [{"deployment": "production", "url": "https://shop.example.com"}],
            "concurrency": "replace",
            "parameters": {"DAYS": {"type": "integer", "default": 3}},
        },
        "publish": {"on": [{"deployment_status": "success", "environment": "prod*"}]},
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        yield made


async def test_deployment_runs_the_job_on_its_commit_and_tells_how_it_goes(home: House) -> None:
    made, payload = deployed(home, payload={"reason": "friday"})
    note = await happens(home, "deployment", payload)
    assert note == "handled: deployment to production in Acme/Shop\njob check: started"
    (run,) = await all_runs(home)
    assert (run.job, run.commit, run.ref, run.cause) == ("check", HEAD, "main", Cause.DEPLOYMENT)
    assert (run.actor, run.repository) == ("github:octocat", "Acme/Shop")
    assert run.parameters == {"DAYS": "3"}
    await tell(home)
    await built(home)
    await move(home, 1, State.STARTING)
    await move(home, 1, State.RUNNING)
    await tell(home)
    await move(home, 1, State.FINISHED, result="succeeded", exit_code=0)
    await tell(home)
    assert made.states == ["queued", "in_progress", "success"]
    assert made.statuses[-1].environment_url == "https://shop.example.com"
    assert (made.statuses[-1].log_url or "").startswith("https://errand.example.com/runs/1?")
    assert made.statuses[-1].description == "check #1 succeeded in 0s"
    assert made.statuses[0].environment_url is None


@pytest.mark.parametrize(
    ("reported", "told"),
    [
        ("https://pr-7.example.com/x", "https://pr-7.example.com/x"),
        ("javascript:x", "https://shop.example.com"),
    ],
)
async def test_job_says_where_what_was_deployed_is_reached(home: House, reported: str, told: str) -> None:
    made, payload = deployed(home)
    await happens(home, "deployment", payload)
    await built(home)
    await move(home, 1, State.STARTING)
    await move(home, 1, State.RUNNING)
    await move(home, 1, State.FINISHED, result="succeeded", outputs={"environment_url": reported})
    await tell(home)
    assert made.statuses[-1].environment_url == told


async def test_deployment_that_two_webhooks_tell_starts_one_run_and_stays_decided(home: House) -> None:
    _, payload = deployed(home)
    await happens(home, "deployment", payload)
    without_app = {name: value for name, value in payload.items() if name != "installation"}
    assert await happens(home, "deployment", without_app) == (
        "handled: deployment to production in Acme/Shop: it was decided before"
    )
    assert len(await all_runs(home)) == 1
    await home.write(lambda s: s.execute(delete(Run)))
    assert "decided before" in await happens(home, "deployment", payload)
    assert await all_runs(home) == []


async def test_deployment_of_a_fork_s_commit_fails_and_runs_nothing(home: House) -> None:
    known = home.github.state.repository(SHOP)
    assert known is not None
    known.pulls[7].head_repository = "mallory/shop"
    made, payload = deployed(home, sha="c" * 40)  # of pull request 7, and on no branch
    note = await happens(home, "deployment", payload)
    assert "counts as the code of a fork" in note
    await tell(home)
    assert (await all_runs(home), made.states) == ([], ["failure"])
    (told,) = await home.says("/job why check")
    assert re.search(r"- deployment to production, 20.*: not started: `c+` is on no branch and no tag", told)
    assert "not started" in made.statuses[0].description


async def test_deployment_whose_commit_is_gone_fails(home: House) -> None:
    made, payload = deployed(home, sha="9" * 40)
    assert "has no branch, tag or commit" in await happens(home, "deployment", payload)
    await tell(home)
    assert (await all_runs(home), made.states) == ([], ["failure"])


async def test_newer_deployment_makes_the_older_one_inactive(home: House) -> None:
    first, payload = deployed(home)
    await happens(home, "deployment", payload)
    second, payload = deployed(home)
    await happens(home, "deployment", payload)
    await built(home)
    await tell(home)
    assert (first.states[-1], second.states[-1]) == ("inactive", "queued")


async def test_older_deployment_that_is_told_late_does_not_replace_the_newer_one(home: House) -> None:
    first, old = deployed(home)
    second, new = deployed(home)
    await happens(home, "deployment", new)
    assert "a later deployment to that environment" in await happens(home, "deployment", old)
    await tell(home)
    assert (first.states, second.states) == (["inactive"], ["queued"])
    assert len(await all_runs(home)) == 1


async def test_deployment_that_no_job_names_is_not_spoken_of(home: House) -> None:
    made, payload = deployed(home, "staging")
    note = await happens(home, "deployment", payload)
    assert note == "ignored: deployment to staging in Acme/Shop: no job names it in `on`"
    assert (await all_runs(home), made.states) == ([], [])


async def test_failed_run_that_is_repeated_makes_the_deployment_good(home: House) -> None:
    made, payload = deployed(home)
    await happens(home, "deployment", payload)
    await built(home)
    await move(home, 1, State.STARTING)
    await move(home, 1, State.FINISHED, result="failed", exit_code=3)
    await tell(home)
    await home.says("/job rerun #1")
    await move(home, 2, State.STARTING)
    await move(home, 2, State.RUNNING)
    await move(home, 2, State.FINISHED, result="succeeded", exit_code=0)
    await tell(home)
    assert made.states == ["failure", "success"]
    assert [run.occurrence for run in await all_runs(home)] == [1, 1]


async def test_end_of_a_deployment_starts_what_waits_for_its_success(home: House) -> None:
    _, made = deployed(home, "prod-eu", name=SITE)
    assert "no job" in await happens(
        home, "deployment_status", happenings.deployment_status(made, 5, "failure")
    )
    note = await happens(home, "deployment_status", happenings.deployment_status(made, 6, "success"))
    assert note == "handled: deployment to prod-eu: success in acme/site\njob publish: started"
    (run,) = await all_runs(home)
    assert (run.job, run.commit, run.cause) == ("publish", HEAD, Cause.DEPLOYMENT_STATUS)
    assert not [post for post in await home.posts() if post.kind == "github_deployment"]


async def test_event_of_a_suspended_installation_starts_nothing_and_says_why(home: House) -> None:
    made, payload = deployed(home)
    home.github.uninstall("acme")
    assert "GitHub does not show Errand the repository" in await happens(home, "deployment", payload)
    await tell(home)
    assert (await all_runs(home), made.states) == ([], [])
    (post,) = [each for each in await home.posts() if each.kind == "github_deployment"]
    assert post.state == "failed"
