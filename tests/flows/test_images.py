"""Pushes rebuild images and start what wants it; filters decide, and `why` says which of them did."""

import uuid
from pathlib import Path

import pytest

from demo import deliveries
from demo.installation import GITHUB_SECRET, REPOSITORY, Installation, Where
from tests.flows.test_commands import card

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    """An installation whose images have filters."""
    return Where(config=HERE / "images.yaml", sample=HERE / "repository")


async def push(
    errand: Installation,
    commit: str,
    *paths: str,
    branch: str = "main",
    ref: str = "",
    before: str = "9" * 40,
) -> None:
    """GitHub says that a branch (or `ref`) was pushed, and which paths changed."""
    payload = deliveries.push(
        REPOSITORY, commit, branch=branch, before=before, private=True, paths=paths or ("hello.sh",)
    )
    if ref:
        payload["ref"] = ref
    sent = deliveries.github(GITHUB_SECRET, "push", str(uuid.uuid4()), payload)
    (await errand.deliver("/webhooks/github", sent)).raise_for_status()


async def settled(errand: Installation, words: str) -> None:
    """Wait until a delivery was decided with a note that has these words."""
    await errand.wait_for(lambda: any(words in str(event.get("note")) for event in errand.events))


async def test_push_runs_a_job_after_its_image_was_rebuilt(errand: Installation) -> None:
    await push(errand, await errand.commit({"hello.sh": "echo hi $NAME\n"}))
    await errand.wait_for(lambda: errand.has_logged("run.finished", 1))
    kinds = [
        event["event"] for event in errand.events if event.get("event") in ("build.finished", "run.starting")
    ]
    assert kinds == ["build.finished", "run.starting"]
    checks = errand.beside.github.checks
    await errand.beside.github.wait_for(lambda: [c.conclusion for c in checks] == ["success"] * 2)


async def test_paths_tags_and_branches_decide(errand: Installation) -> None:
    commit = await errand.commit({"README.md": "x"})
    await push(errand, commit, "README.md")
    await settled(errand, "nothing changed that fits its `paths`")
    await push(errand, commit, "README.md", branch="topic")
    await settled(errand, "the branch `topic` fits none of its `branches`")
    assert not errand.has_logged("build.building", 1)
    await push(errand, commit, ref="refs/tags/v1")
    await errand.wait_for(lambda: errand.has_logged("build.finished", 1))
    assert any("image asked: not built: it names no `tags`" in str(e.get("note")) for e in errand.events)


async def test_pushes_collapse_to_the_newest_while_a_build_waits(errand: Installation) -> None:
    slow = await errand.commit({"gate": f"{errand.home}/open\n"}, branch="slow")
    await push(errand, slow, branch="slow")
    await errand.wait_for(lambda: errand.has_logged("build.building", 1))  # there is room for one build
    commits = [await errand.commit({"gate": "/dev/null\n", "n": str(n)}) for n in range(5)]
    for commit in commits:
        await push(errand, commit)
        await settled(errand, commit[:12])
    (errand.home / "open").touch()
    await errand.wait_for(lambda: errand.ended([1, 6]))
    assert [errand.has_logged("build.building", n) for n in range(1, 7)] == [True] + [False] * 4 + [True]
    github = errand.beside.github

    def superseded() -> set[tuple[str, str]]:
        """The checks that say so, by commit and name: of each commit the build's and the run's."""
        ended = [each for each in github.checks if each.conclusion == "cancelled"]
        return {(each.head_sha, each.name) for each in ended if "Superseded" in str(each.output)}

    await github.wait_for(lambda: len(superseded()) == 8)
    assert {commit for commit, _ in superseded()} == set(commits[:4])


async def test_failed_build_is_told_on_the_commit_with_its_last_lines(errand: Installation) -> None:
    await push(errand, await errand.commit({"setup.sh": "echo the reason is this; exit 7\n"}), "setup.sh")
    github = errand.beside.github
    await github.wait_for(
        lambda: any(
            c.conclusion == "failure" and "the reason is this" in str(c.output) for c in github.checks
        )
    )
    await github.wait_for(
        lambda: any(c.conclusion == "failure" and "BuildFailed" in str(c.output) for c in github.checks)
    )


async def test_commit_is_built_once_whatever_asks_for_it(errand: Installation) -> None:
    await push(errand, await errand.commit({"a": "b"}))
    await errand.comment("/job run hello --ref main\n/job build shop --ref main")
    await card(errand, "hello", "succeeded")
    await errand.wait_for(lambda: errand.ended([1, 2]))
    assert sum(event.get("event") == "build.building" for event in errand.events) == 1


async def test_image_of_which_no_push_is_wanted_is_built_by_command(errand: Installation) -> None:
    await push(errand, await errand.commit({"a": "b"}))
    await settled(errand, "image asked: not built: `branches: []` leaves building to commands")
    await errand.comment("/job build asked")
    await card(errand, "asked", "build", "succeeded")


async def test_why_and_plan_answer_in_pull_requests_and_in_slack(errand: Installation) -> None:
    await push(errand, await errand.commit({"README.md": "x"}), "README.md")
    await settled(errand, "nothing changed that fits its `paths`")
    await errand.comment("/job why hello\n/job plan hello NAME=me --ref main")
    reply = await card(errand, "nothing changed that fits its `paths`", "parameters: `NAME=me`")
    assert "variables: `GREETING`" in reply.body
    assert "to be built first" in reply.body
    assert not errand.has_logged("build.building", 1)


async def test_why_tells_of_permission_lock_and_pause(errand: Installation) -> None:
    errand.beside.github.add_person(REPOSITORY, "reader", "read")
    await errand.comment("/job run nightly", author="reader")
    await card(errand, "needs write access")
    await errand.comment('/job lock prod "moving the database" --everyone')
    await card(errand, "prod")
    await errand.comment("/job why nightly\n/job plan nightly")
    reply = await card(errand, "moving the database", "would run")
    assert "refused `reader`" in reply.body
    assert reply.body.count("schedule `30 2 * * *` (Europe/Helsinki), next: none while it is paused") == 2
    assert reply.body.count("the schedule is paused by its definition") == 2
    assert "permission: `octocat` may run jobs of `acme/shop`" in reply.body
    assert "variables: `TOKEN`" in reply.body
    assert "never-to-be-seen" not in reply.body
    assert "it never ran before" in reply.body


async def test_what_is_gone_or_forced_is_told_apart(errand: Installation) -> None:
    commit = await errand.commit({"README.md": "x"})
    payload = deliveries.push(REPOSITORY, commit, branch="main", private=True, paths=["README.md"])
    gone = payload | {"deleted": True, "after": "0" * 40}
    for changes in (gone, gone | {"ref": "refs/tags/v1"}):
        sent = deliveries.github(GITHUB_SECRET, "push", str(uuid.uuid4()), payload | changes)
        (await errand.deliver("/webhooks/github", sent)).raise_for_status()
    await settled(errand, "refs/heads/main was deleted")
    await settled(errand, "refs/tags/v1 was deleted")
    assert not errand.has_logged("build.building", 1)
    sent = deliveries.github(GITHUB_SECRET, "push", str(uuid.uuid4()), payload | {"forced": True})
    (await errand.deliver("/webhooks/github", sent)).raise_for_status()
    await settled(errand, "what changed is not known (a forced push), so `paths` let it pass")
    await errand.wait_for(lambda: errand.has_logged("build.finished", 1))
