"""The API's reading half, over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from bot.access import links
from bot.errors import RetryLater
from bot.states import State
from bot.store import Store, attempts, builds, runs, tokens
from bot.tables import Build, Run
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from webhooks.access import new_token, token_hash
from webhooks.site import Site
from webhooks.streams import Streams

KEYS = links.derive([Secret("s3cret")])
NOW = 1_700_000_000.0
LIMIT = 64 * 2**20


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(databases.sqlite(tmp_path / "errand.db"), owner="one") as store:
        yield store


@pytest.fixture
def logs(tmp_path: Path) -> LogStore:
    return LogStore(tmp_path / "logs", LIMIT)


@pytest.fixture
async def client(opened: Store, logs: LogStore) -> AsyncIterator[httpx.AsyncClient]:
    text = new_token()
    await opened.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=NOW))
    site = Site(opened, logs, KEYS, "https://errand.example.com/", lambda: NOW + 90)
    app = Starlette(routes=site.routes())
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.ensure_future(server.serve([listening]))
    headers = {"authorization": f"token {text}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=10) as client:
        yield client
    site.streams.close()
    server.should_exit = True
    await serving


async def enqueue(store: Store, job: str = "migrate") -> Run:
    run = Run(
        key=uuid4().hex, name="", job=job, cause="comment", actor="github:octocat", created_at=0.0,
        parameters={"SINCE": "2024-01-01"}, commit="f" * 40, image="shop",
    )  # fmt: skip
    stored, _ = await store.write(lambda session: runs.enqueue(session, run, [], now=NOW, nonce="abc"))
    return stored


async def move(store: Store, run: Run, *states: State) -> None:
    await store.write(lambda session: runs.claim(session, owner="one", now=NOW, lease=60.0, limit=10))
    for state in states:
        change = partial(runs.move, number=run.identity, to=state, owner="one", now=NOW + 1)
        assert await store.write(change) is not None


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
        "state": "running",
        "result": None,
        "reason": None,
        "exit_code": None,
        "cause": "comment",
        "actor": "github:octocat",
        "message": None,
        "waiting_for": None,
        "parameters": {"SINCE": "2024-01-01"},
        "arguments": [],
        "repository": None,
        "ref": None,
        "commit": "f" * 40,
        "image": "shop",
        "digest": None,
        "build": None,
        "scheduled_at": None,
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
            }
        ],
        "url": "https://errand.example.com/runs/1",
        "logs_url": "https://errand.example.com/api/runs/1/logs",
    }


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


def write(logs: LogStore, row: Run | Build, data: bytes) -> None:
    writer = LogWriter(logs.path(row.name), LIMIT)
    writer.write(data)
    writer.close()
    logs.wake(row.name)


async def test_log_is_text_as_it_was_written(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    write(logs, run, b"\x1b[31mred\x1b[0m <b>\n\xff\n")

    answer = await client.get("/api/runs/1/logs")

    assert answer.content == b"\x1b[31mred\x1b[0m <b>\n\xff\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_log_that_is_not_there_is_empty(client: httpx.AsyncClient, opened: Store) -> None:
    await enqueue(opened)

    assert (await client.get("/api/runs/1/logs")).content == b""
    assert (await client.get("/api/runs/1/logs?tail=5")).content == b""


@pytest.mark.parametrize(
    ("tail", "text"),
    [
        (0, ""),
        (1, "four\n"),
        (2, "three\nfour\n"),
        (4, "one\ntwo\nthree\nfour\n"),
        (10_000, "one\ntwo\nthree\nfour\n"),
    ],
)
async def test_tail_gives_the_last_lines(
    client: httpx.AsyncClient, opened: Store, logs: LogStore, tail: int, text: str
) -> None:
    write(logs, await enqueue(opened), b"one\ntwo\nthree\nfour\n")

    assert (await client.get(f"/api/runs/1/logs?tail={tail}")).text == text


async def test_line_that_has_not_ended_is_a_line(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    write(logs, await enqueue(opened), b"one\ntwo\nthr")

    assert (await client.get("/api/runs/1/logs?tail=2")).text == "two\nthr"


async def test_tail_of_a_log_that_lost_its_middle(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    writer = LogWriter(logs.path(run.name), 65536)
    for number in range(50_000):
        writer.write(b"line %d\n" % number)
    writer.finish()

    assert (await client.get("/api/runs/1/logs?tail=2")).text == "line 49998\nline 49999\n"


async def test_follow_gives_what_is_written_until_the_end(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    writer = LogWriter(logs.path(run.name), LIMIT)
    writer.write(b"one\ntwo\n")
    async with client.stream("GET", "/api/runs/1/logs?tail=1&follow=1") as response, asyncio.timeout(10):
        chunks = response.aiter_bytes()
        assert await anext(chunks) == b"two\n"
        writer.write(b"three\n")
        logs.wake(run.name)
        assert await anext(chunks) == b"three\n"
        writer.finish()
        logs.wake(run.name)
        assert [chunk async for chunk in chunks] == []


async def test_follow_ends_with_a_run_that_never_began(client: httpx.AsyncClient, opened: Store) -> None:
    await enqueue(opened)
    async with client.stream("GET", "/api/runs/1/logs?follow=1") as response, asyncio.timeout(10):
        await opened.write(lambda session: runs.request_stop(session, 1, by="github:octocat", now=NOW))
        assert [chunk async for chunk in response.aiter_bytes()] == []

    async with asyncio.timeout(10):
        assert (await client.get("/api/runs/1/logs?follow=1")).text == ""


@pytest.mark.parametrize(
    "query", ["tail=-1", "tail=10001", "tail=x", "follow=2", "follow=yes", "tail=1&tail=2", "x=1"]
)
async def test_bad_log_query_is_a_problem(client: httpx.AsyncClient, opened: Store, query: str) -> None:
    await enqueue(opened)

    assert (await client.get(f"/api/runs/1/logs?{query}")).status_code == 400


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


async def test_followed_logs_are_bounded(
    client: httpx.AsyncClient, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enqueue(opened)
    monkeypatch.setattr(Streams, "has_room", lambda _streams, _visitor: False)

    answer = await client.get("/api/runs/1/logs?follow=1")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def again(store: Store, run: Run, **facts: object) -> None:
    """The first attempt of a running run fails, and the second one starts."""
    end = partial(attempts.end, number=run.identity, attempt=1, owner="one", now=NOW + 3, pause=1.0)
    assert await store.write(partial(end, result="failed", exit_code=3, **facts)) is not None
    await store.write(lambda session: runs.claim(session, owner="one", now=NOW + 4, lease=60.0, limit=10))
    begin = partial(attempts.begin, number=run.identity, owner="one")
    assert await store.write(begin) is not None


async def test_each_attempt_has_its_end_and_its_log(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    await move(opened, run, State.STARTING, State.RUNNING)
    await again(opened, run)
    for key, words in ((run.name, b"first\n"), (f"{run.name}.2", b"second\n")):
        writer = LogWriter(logs.path(key), LIMIT)
        writer.write(words)
        writer.finish()

    first, second = (await client.get("/api/runs/1")).json()["attempts"]
    assert (first["attempt"], first["result"], first["exit_code"], first["duration_s"]) == (
        1,
        "failed",
        3,
        2.0,
    )
    assert (second["attempt"], second["result"], second["started_at"]) == (2, None, None)
    listed = (await client.get("/api/runs")).json()["runs"][0]
    assert [each["result"] for each in listed["attempts"]] == ["failed", None]
    assert (await client.get("/api/runs/1/logs?attempt=1")).text == "first\n"
    assert (await client.get("/api/runs/1/logs?attempt=1&follow=1")).text == "first\n"
    assert (await client.get("/api/runs/1/logs")).text == "second\n"
    assert (await client.get("/api/runs/1/logs?attempt=3")).status_code == 404
    assert (await client.get("/api/builds/1/logs?attempt=1")).status_code == 400
    for wrong in ("0", "x", "-1"):
        assert (await client.get(f"/api/runs/1/logs?attempt={wrong}")).status_code == 400


async def test_followed_log_ends_with_its_attempt(client: httpx.AsyncClient, opened: Store) -> None:
    run = await enqueue(opened)
    await move(opened, run, State.STARTING, State.RUNNING)
    following = asyncio.ensure_future(client.get("/api/runs/1/logs?follow=1"))
    while not opened.changes.listeners:  # noqa: ASYNC110  # nothing tells that somebody listens
        await asyncio.sleep(0)
    await again(opened, run)
    assert (await following).text == ""


async def test_log_of_a_sidecar_is_asked_for_by_its_name(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    await move(opened, run, State.STARTING, State.RUNNING)
    LogWriter(logs.path(run.name), LIMIT).write(b"of the job\n")
    none = await client.get("/api/runs/1/logs?container=mesh")
    assert (none.status_code, none.json()["detail"]) == (
        404,
        "There is no log of a sidecar 'mesh', or none any more. There is none of any.",
    )
    writer = LogWriter(logs.beside(run.name).path("mesh"), LIMIT)
    writer.write(b"of the mesh\nand more\n")
    writer.finish()
    assert (await client.get("/api/runs/1/logs?container=mesh&tail=1")).text == "and more\n"
    followed = await client.get("/api/runs/1/logs?container=mesh&follow=1")
    assert followed.text == "of the mesh\nand more\n"
    assert (await client.get("/api/runs/1/logs")).text == "of the job\n"
    other = await client.get("/api/runs/1/logs?container=..%2Fturn")
    assert (other.status_code, "There are those of mesh." in other.json()["detail"]) == (404, True)
