"""What is known of a run, how long it is kept, and jobs of the API that do all that those of the file do."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from demo.installation import Installation, installation
from tests.flows.test_commands import card
from tests.flows.test_schedules import rows
from tests.flows.test_versions import ask, finished, hang_up, text, write

HERE = Path(__file__).parent
SECRET = "s3cr3t-of-the-api"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that may be changed."""
    copy = tmp_path / "app.yaml"
    copy.write_text((HERE / "versions.yaml").read_text())
    return copy


@pytest.fixture
async def errand(tmp_path: Path, file: Path) -> AsyncIterator[Installation]:
    """A service with that file, running; its environment has a secret that no job names yet."""
    environ = {"LATER_TOKEN": SECRET}
    async with installation(tmp_path, config=file, sample=HERE / "repository", environ=environ) as made:
        made.on_event = print  # shown when a test fails
        yield made


async def put(errand: Installation, token: str, name: str, **definition: Any) -> None:
    """Make a job through the API."""
    answer = await ask(errand, "PUT", f"/api/jobs/{name}", token, body=json.dumps(definition))
    assert answer.status_code == 201, answer.text


async def numbers(errand: Installation, token: str, job: str) -> list[int]:
    """The runs that are kept of a job, newest first."""
    answer = await errand.get(f"/api/runs?job={job}", token=token)
    return [run["number"] for run in answer.json()["runs"]]


def logs(errand: Installation, job: str) -> int:
    """How many logs of attempts of a job there are."""
    return len(list((errand.home / "logs").glob(f"{job}-*")))


async def told(errand: Installation) -> None:
    """Wait until the ends of all runs but #1 are told: before that, none of them goes."""
    untold = "SELECT 1 FROM posts WHERE state = 'open' AND sent < wanted AND run_number > 1"
    await errand.wait_for(lambda: not rows(errand, untold))


async def test_history_tells_all_of_a_run(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    await put(
        errand,
        admin,
        "exits",
        image="shop",
        command='echo "$WHO"; exit 3',
        parameters={"WHO": {"default": "you"}},
    )
    before = time.time()
    await errand.comment("/job run exits WHO=me")
    run = await finished(errand, 1, admin)
    head = await errand.commit({})
    assert len(run["commit"]) == len(head) == 40
    expected = {
        "job": "exits",
        "state": "finished",
        "result": "failed",
        "exit_code": 3,
        "reason": None,
        "cause": "comment",
        "actor": "github:octocat",
        "parameters": {"WHO": "me"},
        "image": "shop",
        "version": 1,
        "repository": "acme/shop",
        "rerun_of": None,
        "build": 1,
    }
    assert {key: run[key] for key in expected} == expected
    assert run["digest"].startswith(f"tree:acme/shop@{run['commit']}+")
    assert 0 < run["queued_s"] < time.time() - before
    assert 0 <= run["duration_s"] < time.time() - before
    assert (await errand.get("/api/runs/1/logs", token=admin)).text == "me\n"
    listed = {key: value for key, value in run.items() if key != "summary"}  # which may be long
    assert (await errand.get("/api/runs?job=exits", token=admin)).json()["runs"] == [listed]
    page = (await errand.get("/runs/1", token=admin)).text
    for told in (
        "Failed",
        "<dt>Waited</dt>",
        "<dt>Duration</dt>",
        run["digest"],
        run["commit"],
        "octocat",
        "me",
    ):
        assert told in page
    assert '<dd class="bad">3</dd>' in page


async def test_successes_push_out_no_failure_and_logs_of_all_attempts_go_along(errand: Installation) -> None:
    admin, gate = await errand.token("boss", "admin"), errand.home / "gate"
    command = 'case "$HOW" in wait) until test -e "$GATE"; do sleep 0.05; done;; *) exit "$HOW";; esac'
    how = {"HOW": {"required": True}}
    await put(
        errand, admin, "kept", command=command, parameters=how, keep=1, retries=1, env={"GATE": str(gate)},
        image="shop",
    )  # fmt: skip
    await errand.comment("/job run kept HOW=wait")
    await errand.wait_for(lambda: errand.has_logged("run.running", 1) or None)
    for number, code in ((2, 7), (3, 0), (4, 7), (5, 0), (6, 0)):
        await errand.comment(f"/job run kept HOW={code}")
        await finished(errand, number, admin)
    assert logs(errand, "kept") == 8  # the two that failed have two each
    await told(errand)

    await errand.stop()
    await errand.start()
    await errand.wait_for(lambda: any(e.get("event") == "runs.pruned" for e in errand.events))
    assert await numbers(errand, admin, "kept") == [6, 4, 1]  # last, last failed, one that goes on
    assert logs(errand, "kept") == 4
    assert (await errand.get("/api/runs/2", token=admin)).status_code == 404
    assert (await errand.get("/runs/2", token=admin)).status_code == 404
    assert [each["exit_code"] for each in (await finished(errand, 4, admin))["attempts"]] == [7, 7]
    gate.touch()
    assert (await finished(errand, 1, admin))["result"] == "succeeded"

    assert (await ask(errand, "DELETE", "/api/runs/4", admin)).status_code == 204
    assert logs(errand, "kept") == 2
    assert (await ask(errand, "DELETE", "/api/jobs/kept", admin)).status_code == 204
    assert (await numbers(errand, admin, "kept"), logs(errand, "kept")) == ([], 0)


async def test_job_of_the_api_does_all_that_one_of_the_file_does(errand: Installation) -> None:
    admin = await errand.token("boss", "admin")
    minute = (int(time.time()) // 60 + 30) % 60  # not now
    held = errand.home / "held"
    await put(
        errand, admin, "all", image="shop", on=["push"], lock="prod", concurrency="queue",
        command='cat etc/all.ini; echo "token $TOKEN for $WHO"; until test -e "$HELD"; do sleep 0.05; done',
        files={"/etc/all.ini": "[all]\nworkers = 2\n"}, env={"TOKEN": "${LATER_TOKEN}", "HELD": str(held)},
        parameters={"WHO": {"default": "all"}}, schedule={"cron": f"{minute} * * * *", "catch_up": "2h"},
    )  # fmt: skip
    await put(errand, admin, "other", image="shop", lock="prod", command="echo other")
    definition = (await errand.get("/api/jobs/all", token=admin)).json()["definition"]
    assert definition["env"]["TOKEN"] == "${LATER_TOKEN}"

    await errand.push(await errand.commit({"more": "more"}))
    await errand.wait_for(lambda: errand.has_logged("run.running", 1) or None)
    await errand.comment("/job run other")
    await card(errand, "is waiting for the lock prod")
    waits = (await errand.get("/api/runs/2", token=admin)).json()
    assert (waits["state"], "#1" in waits["waiting_for"]) == ("waiting", True)
    held.touch()
    assert (await finished(errand, 1, admin))["cause"] == "push"
    log = (await errand.get("/api/runs/1/logs", token=admin)).text
    assert log == "[all]\nworkers = 2\ntoken *** for all\n"
    assert (await finished(errand, 2, admin))["result"] == "succeeded"

    await errand.kill()
    with sqlite3.connect(errand.home / "errand.db") as database:
        database.execute("UPDATE job_states SET ticked_to = ticked_to - 3600")
    await errand.start()
    run = await finished(errand, 3, admin)
    assert (run["job"], run["cause"], run["result"]) == ("all", "schedule", "succeeded")
    assert run["scheduled_at"].endswith(f":{minute:02}:00.000Z")
    assert SECRET not in str(errand.events)
    assert SECRET.encode() not in (errand.home / "errand.db").read_bytes()


async def test_secret_that_the_file_names_only_now_is_masked(errand: Installation, file: Path) -> None:
    token = await errand.token("ci")
    job = '  tells: {image: shop, command: \'echo "$TOKEN"; exit 1\', env: {TOKEN: "${LATER_TOKEN}"}}\n'
    write(file, text(file) + job)
    assert (await hang_up(errand))["changed"] == ["tells"]
    await errand.comment("/job run tells")
    assert (await finished(errand, 1, token))["result"] == "failed"
    assert (await errand.get("/api/runs/1/logs", token=token)).text == "***\n"
    assert SECRET not in str(errand.events) + str(errand.beside.github.comments)


async def test_of_those_who_change_the_same_version_one_does(errand: Installation) -> None:
    admin, path = await errand.token("boss", "admin"), "/api/jobs/raced"
    await put(errand, admin, "raced", command="echo first")

    async def change(turn: int) -> tuple[int, int]:
        body = json.dumps({"command": f"echo {turn}"})
        answer = await ask(errand, "PUT", path, admin, body=body, if_match='"1"')
        return turn, answer.status_code

    came = dict(await asyncio.gather(*(change(turn) for turn in range(10))))
    assert sorted(came.values()) == [200] + [412] * 9
    (winner,) = (turn for turn, status in came.items() if status == 200)
    held = (await errand.get(path, token=admin)).json()
    assert (held["version"], held["definition"]) == (2, {"command": f"echo {winner}"})


async def test_value_that_mask_names_is_shown_to_admins_alone(errand: Installation) -> None:
    admin, reader = await errand.token("boss", "admin"), await errand.token("ci")
    await put(errand, admin, "masks", command="true", env={"KEY": "hunter22", "PLAIN": "x"}, mask=["KEY"])
    for path in ("/api/jobs", "/api/jobs/masks"):
        assert "hunter22" in (await errand.get(path, token=admin)).text
        told = (await errand.get(path, token=reader)).text
        assert ("hunter22" in told, '"***"' in told, '"PLAIN"' in told) == (False, True, True)
