"""Runs and builds over the API, one and page by page, over real HTTP."""

from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from bot.access import links
from bot.errors import RetryLater
from bot.states import State
from bot.store import Store, builds, runs
from bot.tables import Build, Run
from executor.logs.store import LogStore
from tests.webhooks.api.served_runs import KEYS, NOW, client, enqueue, logs, move, opened, write

__all__ = ["client", "logs", "opened"]


async def test_run_has_the_shape_that_is_documented(client: httpx.AsyncClient, opened: Store) -> None:
    run = await enqueue(opened)
    await move(opened, run, State.STARTING, State.RUNNING)

    answer = await client.get("/api/runs/1")

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "number": 1,
        "job": "migrate",
        "version": None,
        "rerun_of": None,
        "chain": None,
        "follows": None,
        "followed": None,
        "state": "running",
        "result": None,
        "reason": None,
        "exit_code": None,
        "cause": "comment",
        "actor": "github:octocat",
        "message": None,
        "explanation": None,
        "waiting_for": None,
        "waiting_kind": None,
        "queue": None,
        "parameters": {"SINCE": "2024-01-01"},
        "arguments": [],
        "repository": None,
        "ref": None,
        "commit": "f" * 40,
        "image": "shop",
        "digest": None,
        "build": None,
        "scheduled_at": None,
        "schedule": None,
        "stopped_after": None,
        "backfill": None,
        "approval": None,
        "pull_request": None,
        "environment": None,
        "override": None,
        "outputs": {},
        "summary": None,
        "progress": None,
        "created_at": "2023-11-14T22:13:20.000Z",
        "started_at": "2023-11-14T22:13:21.000Z",
        "finished_at": None,
        "duration_s": 89.0,
        "queued_s": 1.0,
        "attempts": [
            {
                "attempt": 1,
                "result": None,
                "reason": None,
                "exit_code": None,
                "started_at": "2023-11-14T22:13:21.000Z",
                "finished_at": None,
                "duration_s": 89.0,
                "logs_url": "https://errand.example.com/api/runs/1/logs?attempt=1",
                "retry": None,
            }
        ],
        "url": "https://errand.example.com/runs/1",
        "logs_url": "https://errand.example.com/api/runs/1/logs",
    }


async def test_run_that_waits_says_where_in_which_queue(client: httpx.AsyncClient, opened: Store) -> None:
    keyed: dict[str, Any] = {"concurrency": "queue", "at_most": 1, "over": "queue", "queue": "REGION=eu"}
    for _ in range(3):
        await enqueue(opened, **keyed)
    queues = [(await client.get(f"/api/runs/{number}")).json()["queue"] for number in (1, 2, 3)]
    assert queues == [
        None,
        {"name": "REGION=eu", "place": 1, "turn_at": None},
        {"name": "REGION=eu", "place": 2, "turn_at": None},
    ]
    waits = (await client.get("/api/runs/3")).json()
    assert waits["waiting_for"] == "#1 to end (REGION=eu); place 2 in the queue"
    assert waits["waiting_kind"] == "ahead"


async def test_build_has_a_shape_of_the_same_kind(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    build = Build(
        key="", name="", image="shop", repository="acme/shop", commit="a" * 40, cause="push",
        actor="github:octocat", created_at=0.0,
    )  # fmt: skip
    stored = await opened.write(lambda session: builds.need(session, build, now=NOW, nonce="abc"))
    write(logs, stored, b"compiling\n")

    found = (await client.get("/api/builds/1")).json()

    assert (found["number"], found["image"], found["state"], found["duration_s"]) == (
        1,
        "shop",
        "waiting",
        None,
    )
    assert found["logs_url"] == "https://errand.example.com/api/builds/1/logs"
    assert (await client.get("/api/builds/1/logs")).text == "compiling\n"


async def test_runs_are_listed_newest_first_page_by_page(client: httpx.AsyncClient, opened: Store) -> None:
    for _ in range(3):
        await enqueue(opened)
        await enqueue(opened, job="report")

    first = (await client.get("/api/runs?job=migrate&limit=2")).json()
    assert [run["number"] for run in first["runs"]] == [5, 3]
    assert first["next"] == "https://errand.example.com/api/runs?job=migrate&limit=2&before=3"
    second = (await client.get(httpx.URL(first["next"]).raw_path.decode())).json()

    assert [run["number"] for run in second["runs"]] == [1]
    assert second["next"] is None


async def test_runs_are_listed_by_state(client: httpx.AsyncClient, opened: Store) -> None:
    await move(opened, await enqueue(opened), State.STARTING)
    await enqueue(opened)

    assert [run["number"] for run in (await client.get("/api/runs?state=starting")).json()["runs"]] == [1]
    assert (await client.get("/api/runs?state=finished")).json() == {"runs": [], "next": None}


async def test_runs_are_listed_by_result_page_by_page(client: httpx.AsyncClient, opened: Store) -> None:
    for result in ("failed", "succeeded", "timed_out", "failed"):
        run = await enqueue(opened)
        await move(opened, run, State.STARTING)
        end = partial(runs.move, number=run.identity, to=State.FINISHED, owner="one", now=NOW, result=result)
        await opened.write(end)
    await enqueue(opened)

    first = (await client.get("/api/runs?result=failed,timed_out&limit=2")).json()
    assert [run["number"] for run in first["runs"]] == [4, 3]
    second = (await client.get(httpx.URL(first["next"]).raw_path.decode())).json()
    assert [run["number"] for run in second["runs"]] == [1]
    assert second["next"] is None
    of_job = (await client.get("/api/runs?result=failed&job=migrate&state=finished")).json()
    assert [run["number"] for run in of_job["runs"]] == [4, 1]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("state=failed", "failed is how a run ended: `result=failed` finds them."),
        ("result=running", "expected one of succeeded, failed,"),
        ("result=failed,failed", "several with commas"),
        ("result=failed&state=running", "only finished runs have one"),
    ],
)
async def test_words_for_states_and_results_are_told_apart(
    client: httpx.AsyncClient, query: str, told: str
) -> None:
    answer = await client.get(f"/api/runs?{query}")

    assert answer.status_code == 400
    assert told in answer.json()["detail"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=1&limit=2", "before=0", "before=-5",
     "before=99999999999999999999999", "before=1.5", "before=%D9%A1", "state=gone", "unknown=1", "job=%00",
     "job=" + "x" * 201, "limit=1%00"],
)  # fmt: skip
async def test_bad_query_is_a_problem_that_says_what_was_expected(
    client: httpx.AsyncClient, query: str
) -> None:
    answer = await client.get(f"/api/runs?{query}")

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert query.split("=")[0] in answer.json()["detail"]


@pytest.mark.parametrize("number", ["0", "01", "-1", "x", "9" * 40, "1.0", "%00", "٣", "999999999999999999"])
async def test_number_that_cannot_be_is_not_found(client: httpx.AsyncClient, number: str) -> None:
    for path in (
        f"/api/runs/{number}",
        f"/api/runs/{number}/logs",
        f"/api/builds/{number}",
        f"/api/builds/{number}/logs",
    ):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


async def test_link_opens_no_api(client: httpx.AsyncClient, opened: Store) -> None:
    await enqueue(opened)
    query = links.sign("/runs/1", expires=int(NOW) + 600, keys=KEYS)
    del client.headers["authorization"]

    assert (await client.get(f"/runs/1?{query}")).status_code == 200
    assert (await client.get(f"/api/runs/1?{query}")).status_code == 401


async def test_api_says_when_the_database_is_away(
    client: httpx.AsyncClient, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_work: object) -> None:
        raise RetryLater("The database does not take it now")

    monkeypatch.setattr(opened, "read", away)

    answer = await client.get("/api/runs")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_end_is_explained_as_its_card_does(client: httpx.AsyncClient, opened: Store) -> None:
    run = await enqueue(opened)
    ended = {"state": "finished", "result": "failed", "exit_code": 143, "finished_at": NOW}
    await opened.write(lambda s: s.execute(update(Run).values(**ended)))
    answer = (await client.get(f"/api/runs/{run.number}")).json()
    assert answer["message"] is None
    assert answer["explanation"].startswith("It was ended (SIGTERM), and not by Errand.")
