"""Every kind of entry in `on`: what starts the job, what does not, and what GitHub hears of it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.states import Cause, State
from demo import entities, happenings
from demo import payloads as shapes
from tests.bot.happening import all_runs, built, deployed, happens, move, of, tell
from tests.bot.house import HEAD, SHOP, House, house

BEGUN = "2026-01-01T00:00:00Z"
ONE, TWO, TOPIC = "1" * 40, "2" * 40, "c" * 40
CHANGES: dict[str, Any] = {
    "images": {"site": {"build": {"repository": "acme/shop"}}},
    "jobs": {
        "check": {
            "on": [
                {"protection_rule": "production"},
                {"release": "published"},
                {"tag": "v*"},
                {"workflow": "ci.yml"},
                "merge_group",
            ]
        },
        "deploy": {"on": [{"repository_dispatch": "errand"}]},
        "publish": {
            "on": [{"pull_request": ["opened", "synchronize", {"labeled": "deploy"}], "branches": ["main"]}],
            "cancel_with": "pull_request",
        },
    },
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=CHANGES) as made:
        known = made.github.state.repository(SHOP)
        assert known is not None
        known.tags["v1"] = ONE
        yield made


async def jobs(home: House) -> list[tuple[str, str | None, str | None, str]]:
    return [(run.job, run.commit, run.ref, run.cause) for run in await all_runs(home)]


def pull(
    home: House, action: str, sha: str = TOPIC, *, at: str = "2026-01-01T00:00:00Z", label: str = ""
) -> Any:
    payload = shapes.pull_request(SHOP, 7, sha, "topic", action=action, private=True)
    number = of(home)["number"]
    payload["repository"]["id"] = payload["pull_request"]["head"]["repo"]["id"] = number
    payload["pull_request"]["updated_at"] = at
    return payload | ({"label": {"id": 1, "name": label}} if label else {})


async def test_release_runs_the_commit_of_its_tag(home: House) -> None:
    await happens(home, "release", happenings.release(SHOP, 5, "v1", **of(home)))
    assert await jobs(home) == [("check", ONE, "tags/v1", Cause.RELEASE)]
    assert "no job" in await happens(
        home, "release", happenings.release(SHOP, 5, "v1", action="released", **of(home))
    )
    assert "no branch, tag or commit" in await happens(
        home, "release", happenings.release(SHOP, 6, "v9", **of(home))
    )


async def test_tag_that_is_pushed_runs_its_commit(home: House) -> None:
    for ref in ("refs/tags/v1", "refs/tags/other"):
        payload = shapes.push(SHOP, ONE, at=home.now, **of(home)) | {"ref": ref}
        await happens(home, "push", payload)
        await happens(home, "push", payload)
    assert await jobs(home) == [("check", ONE, "tags/v1", Cause.PUSH)]


async def test_workflow_that_ended_well_on_the_default_branch_runs_the_job_once(home: House) -> None:
    for how in ({"conclusion": "failure"}, {"branch": "feature"}):
        assert "no job" in await happens(
            home, "workflow_run", happenings.workflow_run(SHOP, 8, HEAD, **how, **of(home))
        )
    for _ in range(2):
        await happens(home, "workflow_run", happenings.workflow_run(SHOP, 9, HEAD, **of(home)))
    assert await jobs(home) == [("check", HEAD, "main", Cause.WORKFLOW)]


@pytest.mark.parametrize("fork", [entities.repository("mallory/shop"), None])
async def test_main_branch_of_a_fork_is_not_the_default_one(tmp_path: Path, fork: Any) -> None:
    async with house(tmp_path, changes={**CHANGES, "github": {"forks": True}}) as home:
        payload = happenings.workflow_run(SHOP, 9, HEAD, **of(home))
        payload["workflow_run"]["head_repository"] = fork
        assert "no job names it" in await happens(home, "workflow_run", payload)
        assert await jobs(home) == []


async def test_workflow_of_a_fork_starts_nothing(tmp_path: Path) -> None:
    changes = {**CHANGES, "jobs": {"check": {"on": [{"workflow": "ci.yml", "branches": ["**"]}]}}}
    async with house(tmp_path, changes=changes) as home:
        payload = happenings.workflow_run(SHOP, 9, HEAD, **of(home))
        payload["workflow_run"]["head_repository"] = entities.repository("mallory/shop")
        assert "code of forks is not run here" in await happens(home, "workflow_run", payload)
        payload["workflow_run"] |= {"id": 10, "head_repository": None}
        assert "code of forks is not run here" in await happens(home, "workflow_run", payload)
        payload = happenings.workflow_run(SHOP, 11, HEAD, **of(home))
        payload["workflow_run"]["event"] = "pull_request_target"
        assert "anybody's pull request" in await happens(home, "workflow_run", payload)
        payload = happenings.workflow_run(SHOP, 12, "d" * 40, **of(home))  # which only a fork has
        known = home.github.state.repository(SHOP)
        assert known is not None
        known.pulls[7].head_sha = "d" * 40
        assert "is on no branch and no tag" in await happens(home, "workflow_run", payload)
        assert await jobs(home) == []


async def test_dispatch_starts_the_job_that_it_names_with_parameters_that_it_takes(home: House) -> None:
    async def sends(**content: Any) -> str:
        return await happens(
            home, "repository_dispatch", happenings.repository_dispatch(SHOP, "errand", content, **of(home))
        )

    assert "no job" in await sends(job="check")
    assert "no job" in await sends(job="nothing")
    assert "is no parameter" in await sends(job="deploy", parameters={"SECRETIVE": "x", "OTHER": "y"})
    assert "is required" in await sends(job="deploy")
    assert "no text, number or truth value" in await sends(job="deploy", parameters={"SECRETIVE": {"$": 1}})
    assert "lacks what is needed, first: client_payload.job" in await sends(parameters={})
    assert "job deploy: started" in await sends(job="deploy", key="once", parameters={"SECRETIVE": 7})
    assert "decided before" in await sends(job="deploy", key="once", parameters={"SECRETIVE": 7})
    (run,) = await all_runs(home)
    assert (run.job, run.commit, run.cause, run.parameters) == (
        "deploy",
        HEAD,
        Cause.DISPATCH,
        {"SECRETIVE": "7"},
    )


async def test_dispatch_that_two_webhooks_tell_is_one_and_sent_twice_two(home: House) -> None:
    content = {"job": "deploy", "parameters": {"SECRETIVE": "x"}}
    payload = happenings.repository_dispatch(SHOP, "errand", content, **of(home))
    other = {name: value for name, value in payload.items() if name != "installation"}
    for sent in (payload, other, other, payload):  # in any order
        await happens(home, "repository_dispatch", sent)
    assert len(await jobs(home)) == 2
    await happens(home, "repository_dispatch", payload)
    assert len(await jobs(home)) == 3


async def test_merge_group_is_answered_by_jobs_that_run_and_by_those_that_do_not(home: House) -> None:
    known = home.github.state.repository(SHOP)
    assert known is not None
    known.refs["gh-readonly-queue/main/pr-7"] = TWO
    await happens(home, "merge_group", happenings.merge_group(SHOP, TWO, **of(home)))
    assert [job[0] for job in await jobs(home)] == ["check"]
    await tell(home, "github_verdict")
    (check,) = home.github.checks
    assert (check.name, check.conclusion, check.head_sha) == ("errand / publish", "neutral", TWO)


async def test_pull_request_runs_its_head_and_ends_what_ran_for_the_one_before(home: House) -> None:
    known = home.github.state.repository(SHOP)
    assert known is not None
    known.pulls[7].head_sha = TOPIC
    known.refs["topic"] = TWO
    await happens(home, "pull_request", pull(home, "opened"))
    await happens(home, "pull_request", pull(home, "synchronize", TWO, at="2026-01-01T00:00:09Z"))
    # Told late, it starts nothing that was over before.
    late = await happens(home, "pull_request", pull(home, "synchronize", HEAD, at="2026-01-01T00:00:05Z"))
    assert "pushed to again, or closed" in late
    first, second = await all_runs(home)
    assert (first.commit, first.result, first.stop_by) == (TOPIC, "cancelled", "github:octocat")
    assert (second.commit, second.state, second.pull_request, second.ref) == (TWO, State.WAITING, 7, "topic")
    await happens(home, "pull_request", pull(home, "closed", TWO, at="2026-01-01T00:00:10Z"))
    assert [run.result for run in await all_runs(home)] == ["cancelled", "cancelled"]


@pytest.mark.parametrize("event", ["release", "pull_request"])
async def test_job_that_something_else_ends_starts_with_all_that_it_names(tmp_path: Path, event: str) -> None:
    on = [{"release": "published"}, {"pull_request": ["opened"]}]
    job = {"on": on, "cancel_with": "pull_request", "concurrency": "replace"}
    async with house(tmp_path, changes={"jobs": {"check": job}}) as home:
        known = home.github.state.repository(SHOP)
        assert known is not None
        known.tags["v1"] = ONE
        payload = happenings.release(SHOP, 5, "v1", **of(home))
        if event == "pull_request":
            payload = pull(home, "opened")
            payload["pull_request"]["updated_at"] = None
        assert "job check: started" in await happens(home, event, payload)
        if event == "pull_request":
            payload = pull(home, "closed")
            payload["pull_request"]["updated_at"] = None
            await happens(home, event, payload)
            assert [run.result for run in await all_runs(home)] == ["cancelled"]


@pytest.mark.parametrize(("late", "runs"), [("opened", 0), ("synchronize", 0), ("reopened", 1)])
async def test_pull_request_that_was_closed_in_the_same_second_starts_nothing(
    tmp_path: Path, late: str, runs: int
) -> None:
    job = {"on": [{"pull_request": ["opened", "synchronize", "reopened"]}], "cancel_with": "pull_request"}
    async with house(tmp_path, changes={**CHANGES, "jobs": {"publish": job}}) as home:
        await happens(home, "pull_request", pull(home, "closed"))
        await happens(home, "pull_request", pull(home, late))
        assert len(await jobs(home)) == runs


async def test_label_starts_what_waits_for_it(home: House) -> None:
    assert "no job" in await happens(home, "pull_request", pull(home, "labeled", label="later"))
    await happens(home, "pull_request", pull(home, "labeled", label="deploy"))
    assert await jobs(home) == [("publish", TOPIC, "topic", Cause.PULL_REQUEST)]


@pytest.mark.parametrize(
    "message", ["Fix [skip ci]", "Words [CI SKIP] here", "A\n\nskip-checks: true\n", "x [no ci]"]
)
async def test_commit_that_wants_no_checks_starts_nothing_and_has_a_neutral_one(
    home: House, message: str
) -> None:
    known = home.github.state.repository(SHOP)
    assert known is not None
    known.messages[TOPIC] = message
    note = await happens(home, "pull_request", pull(home, "opened"))
    assert "the message of its newest commit says" in note
    await tell(home, "github_verdict")
    (check,) = home.github.checks
    assert (await jobs(home), check.name, check.conclusion) == ([], "errand / publish", "neutral")
    assert (check.output["title"] or "").startswith("Skipped: the message")


async def test_pull_request_of_a_fork_starts_nothing(home: House) -> None:
    payload = pull(home, "opened")
    payload["pull_request"]["head"]["repo"]["id"] = 99
    assert "code of forks is not run here" in await happens(home, "pull_request", payload)
    payload = pull(home, "synchronize")
    payload["pull_request"]["head"]["repo"] = None
    assert "code of forks is not run here" in await happens(home, "pull_request", payload)
    assert await jobs(home) == []


async def asks(home: House, **how: Any) -> str:
    """A workflow waits at production."""
    _, payload = deployed(home)
    home.github.state.waiting.add((SHOP, 77, "production"))
    rule = happenings.protection_rule(payload, "production", 77, home.github.url, **how)
    return await happens(home, "deployment_protection_rule", rule)


@pytest.mark.parametrize(("result", "state"), [("succeeded", "approved"), ("failed", "rejected")])
async def test_protection_rule_is_answered_as_the_job_ends(home: House, result: str, state: str) -> None:
    assert "job check: started" in await asks(home)
    await tell(home, "github_review")
    await built(home)
    await move(home, 1, State.STARTING)
    await move(home, 1, State.RUNNING)
    await tell(home, "github_review")
    await move(home, 1, State.FINISHED, result=result, exit_code=3 if state == "rejected" else 0)
    await tell(home, "github_review")
    report, answer = home.github.reviews
    assert (report.state, answer.state) == (None, state)
    assert (answer.run, answer.environment) == (77, "production")
    assert "**check** [#1](https://errand.example.com/runs/1?" in (answer.comment or "")


async def test_protection_rule_whose_callback_is_somewhere_else_starts_nothing(home: House) -> None:
    _, payload = deployed(home)
    for api, name in (
        ("https://evil.example", SHOP),
        (home.github.url, "acme/other"),
        (f"{home.github.url}@evil.example", SHOP),
        (f"{home.github.url}/..", SHOP),
        (f"{home.github.url}?x=", SHOP),
    ):
        rule = happenings.protection_rule(payload, "production", 77, api, name=name)
        note = await happens(home, "deployment_protection_rule", rule)
        assert note.startswith("ignored: ")
        assert "callback" in note
    assert (await jobs(home), home.github.reviews) == ([], [])


async def test_protection_rule_whose_job_cannot_start_is_rejected(home: House) -> None:
    _, payload = deployed(home, sha="9" * 40)
    home.github.state.waiting.add((SHOP, 77, "production"))
    rule = happenings.protection_rule(payload, "production", 77, home.github.url)
    assert "has no branch, tag or commit" in await happens(home, "deployment_protection_rule", rule)
    await tell(home, "github_review")
    (answer,) = home.github.reviews
    assert answer.state == "rejected"
    assert "Not started" in (answer.comment or "")


async def test_push_whose_commit_wants_no_checks_builds_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"jobs": {"check": {"on": ["push"]}}}) as home:
        payload = shapes.push(SHOP, HEAD, message="Words [skip ci]", at=home.now, **of(home))
        assert "image shop: not built: the message of its newest commit says `[skip ci]`" in await happens(
            home, "push", json.loads(json.dumps(payload))
        )
        await tell(home, "github_verdict")
        (check,) = home.github.checks
        assert (await jobs(home), check.name, check.conclusion) == ([], "errand / check", "neutral")


async def test_people_are_told_what_starts_a_job(home: House) -> None:
    starts = "pull requests to main (opened, synchronize, labeled deploy)"
    (listing,) = await home.says("/job list")
    assert f"- `publish` (starts with `{starts}`)" in listing
    (help,) = await home.says("/job help publish")
    assert f"It starts by itself with `{starts}`." in help
    (why,) = await home.says("/job why check")
    assert "by itself with `workflows that wait at production`, `releases (published)`, `tags v*`" in why


async def test_protection_rule_without_a_deployment_runs_the_workflow_s_commit_each_time(home: House) -> None:
    _, payload = deployed(home)
    rule = happenings.protection_rule(payload, "production", 77, home.github.url)
    rule |= {"deployment": None, "sha": HEAD, "ref": "main"}
    for _ in range(2):  # the workflow is tried again, and GitHub says nothing that tells the two apart
        assert "job check: started" in await happens(home, "deployment_protection_rule", rule)
    assert await jobs(home) == [("check", HEAD, "main", Cause.PROTECTION_RULE)] * 2
    (first, second) = await all_runs(home)
    assert (first.environment, first.occurrence, second.occurrence) == ("production", 1, 2)
