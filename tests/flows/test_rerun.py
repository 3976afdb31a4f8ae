"""A run is repeated exactly, whatever has changed since, or changed where that is said."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo.installation import PULL, REPOSITORY, Installation, installation
from tests.changing import changing
from tests.flows.test_commands import card
from tests.flows.test_versions import ask, finished, hang_up

HERE = Path(__file__).parent
FROZEN = ("parameters", "commit", "image", "version")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that may be changed."""
    copy = tmp_path / "app.yaml"
    copy.write_text((HERE / "rerun.yaml").read_text())
    return copy


@pytest.fixture
async def errand(tmp_path: Path, file: Path) -> AsyncIterator[Installation]:
    """A service with that file, running."""
    async with installation(
        tmp_path, config=file, sample=HERE / "repository", environ={"SHOP_KEY": "key"}
    ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def log(errand: Installation, number: int, token: str) -> str:
    """The whole log of a run."""
    return (await errand.get(f"/api/runs/{number}/logs", token=token)).text


def frozen(run: dict[str, Any]) -> list[Any]:
    """What a rerun takes from a run."""
    return [run[key] for key in FROZEN]


async def first(errand: Installation, token: str) -> dict[str, Any]:
    """A run of the job as it is defined at first."""
    await errand.commit({"marker": "here"})
    await errand.comment("/job run tell WHO=me --ref main")
    run = await finished(errand, 1, token)
    assert (run["result"], await log(errand, 1, token)) == ("succeeded", "first me 1 here 3\n")
    return run


async def changed(errand: Installation, file: Path) -> None:
    """Another commit, another name of the image, other words and parameters of the job."""
    await errand.commit({"marker": "there"})
    errand.beside.github.add_pull(
        REPOSITORY, PULL, await errand.commit({"marker": "pull"}, branch="topic"), "main"
    )
    with changing(file) as app:
        app["images"]["store"] = app["images"].pop("shop")
        tell = app["jobs"]["tell"]
        tell |= {"image": "store", "command": tell["command"].replace("first", "second")}
        tell["parameters"]["COUNT"] |= {"default": 2, "minimum": 0}
    assert (await hang_up(errand))["changed"] == ["tell"]


def builds(errand: Installation) -> int:
    """How many builds were begun."""
    return sum(event.get("event") == "build.building" for event in errand.events)


async def test_rerun_takes_what_the_run_had_whatever_changed_since(errand: Installation, file: Path) -> None:
    token = await errand.token("ci")
    old = await first(errand, token)
    await changed(errand, file)
    await errand.comment("/job rerun #1")
    again = await finished(errand, 2, token)
    assert frozen(again) == frozen(old)
    assert await log(errand, 2, token) == "first me 1 here 3\n"
    await card(errand, "`#1`, exactly", "succeeded")
    assert builds(errand) == 1


async def test_rerun_changes_only_what_is_given_and_keeps_its_line_of_descent(
    errand: Installation, file: Path
) -> None:
    token = await errand.token("ci")
    old = await first(errand, token)
    await changed(errand, file)
    await errand.comment("/job rerun #1 COUNT=5")
    second = await finished(errand, 2, token)
    await errand.comment("/job rerun #2 WHO=you")
    third = await finished(errand, 3, token)
    assert [run["rerun_of"] for run in (old, second, third)] == [None, 1, 2]
    assert third["parameters"] == {"WHO": "you", "COUNT": "5"}
    assert frozen(third)[1:] == frozen(old)[1:]
    assert await log(errand, 3, token) == "first you 5 here 3\n"
    await card(errand, "again from `#1`", "other than there: `COUNT: 1 → 5`\n", "succeeded")
    await card(errand, "again from `#2`", "other than there: `WHO: me → you`\n", "succeeded")


async def test_latest_takes_the_definition_and_the_commit_of_today(errand: Installation, file: Path) -> None:
    token = await errand.token("ci")
    old = await first(errand, token)
    await changed(errand, file)
    await errand.comment("/job rerun #1 --latest")
    new = await finished(errand, 2, token)
    assert (new["version"], new["rerun_of"], new["parameters"]) == (2, 1, old["parameters"])
    assert new["commit"] != old["commit"]
    assert await log(errand, 2, token) == "second me 1 pull 3\n"
    found = await card(errand, "again from `#1`", "succeeded")
    assert "`definition 1 → 2: image, command, parameters`" in found.body
    assert f"`commit: {old['commit'][:12]} → {new['commit'][:12]}`" in found.body


async def test_image_that_is_gone_is_built_anew_from_the_same_commit(
    errand: Installation, file: Path
) -> None:
    token = await errand.token("ci")
    old = await first(errand, token)
    await changed(errand, file)
    await errand.stop()
    await asyncio.to_thread(shutil.rmtree, errand.home / "work")
    await errand.start()
    await errand.comment("/job rerun #1")
    again = await finished(errand, 2, token)
    assert (again["commit"], await log(errand, 2, token)) == (old["commit"], "first me 1 here 3\n")
    assert builds(errand) == 2


async def test_secret_is_the_one_of_today_and_never_stored(errand: Installation) -> None:
    token = await errand.token("ci")
    await first(errand, token)
    await errand.stop()
    errand.environ["SHOP_KEY"] = "longer-than-before"
    await errand.start()
    await errand.comment("/job rerun #1")
    await finished(errand, 2, token)
    assert await log(errand, 2, token) == "first me 1 here 18\n"
    for suffix in ("", "-wal"):
        assert b"longer-than-before" not in (errand.home / f"errand.db{suffix}").read_bytes()


async def test_job_that_was_taken_away_is_not_run_again(errand: Installation, file: Path) -> None:
    token = await errand.token("ci")
    await first(errand, token)
    with changing(file) as app:
        app["jobs"]["told"] = app["jobs"].pop("tell")
    assert (await hang_up(errand))["changed"] == ["told", "-tell"]
    await errand.comment("/job rerun #1\n/job rerun #1 --latest")
    reply = await card(errand, "`tell` was taken away")
    assert reply.body.count("was taken away") == 2
    assert not errand.has_logged("run.starting", 2)


async def test_job_of_the_api_is_run_again_as_it_was(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    for word in ("one", "two"):
        body = json.dumps({"image": "shop", "command": ["echo", word], "arguments": True})
        assert (await ask(errand, "PUT", "/api/jobs/greet", admin, body=body)).status_code < 300
        if word == "one":
            await errand.comment("/job run greet -- a 'b c'")
            await finished(errand, 1, admin)
    await errand.comment("/job rerun #1\n/job rerun #1 --latest")
    assert (await finished(errand, 2, admin))["version"] == 1
    assert (await finished(errand, 3, admin))["version"] == 2
    assert [await log(errand, number, admin) for number in (2, 3)] == ["one a b c\n", "two a b c\n"]


async def test_who_may_not_run_the_job_may_not_run_it_again(errand: Installation) -> None:
    token = await errand.token("ci")
    await first(errand, token)
    errand.beside.github.add_person(REPOSITORY, "octocat", "read")
    await errand.comment("/job rerun #1")
    await card(errand, "needs write access")
    assert not errand.has_logged("run.starting", 2)
