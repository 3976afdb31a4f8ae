"""Logs over the API: whole, from their end, and as they are written."""

import asyncio
import os
import re
from functools import partial

import httpx
import pytest

from bot.states import State
from bot.store import Store, attempts, runs
from bot.tables import Run
from demo.watched import PATIENCE
from executor.logs import moments
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from tests.webhooks.api.served_runs import LIMIT, NOW, client, enqueue, logs, move, opened, write
from webhooks.stamps import WIDTH
from webhooks.streams import Streams

__all__ = ["client", "logs", "opened"]


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


async def test_offset_gives_what_comes_after_it(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    write(logs, await enqueue(opened), b"one\ntwo\n")

    for offset, text in ((0, "one\ntwo\n"), (4, "two\n"), (8, ""), (9, "")):
        answer = await client.get(f"/api/runs/1/logs?offset={offset}")
        assert (answer.text, answer.headers["log-offset"]) == (text, str(offset))
    assert (await client.get("/api/runs/1/logs?tail=1")).headers["log-offset"] == "4"
    assert "log-offset" not in (await client.get("/api/runs/1/logs")).headers
    assert (await client.get("/api/runs/1/logs?offset=1&tail=1")).text == "two\n"
    assert (await client.get("/api/runs/1/logs?offset=5&tail=2")).text == "wo\n"


async def test_answers_to_offsets_put_together_are_the_log_with_its_gap(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    """Each says where it begins, so that the next offset is right, although a note is no such bytes."""
    run = await enqueue(opened)
    writer = LogWriter(logs.path(run.name), 65536)
    for number in range(20_000):
        writer.write(b"line %d\n" % number)
    writer.finish()
    whole, pieces, offset = (await client.get("/api/runs/1/logs")).content, [], 0
    while content := (answer := await client.get(f"/api/runs/1/logs?offset={offset}")).content:
        pieces.append(content)
        offset = int(answer.headers["log-offset"]) + len(content)

    assert (b"".join(pieces), offset) == (whole, await logs.size(run.name))
    assert len(pieces) == 2
    assert b"left out" in pieces[1]


async def test_follow_gives_what_is_written_until_the_end(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    writer = LogWriter(logs.path(run.name), LIMIT)
    writer.write(b"one\ntwo\n")
    async with (
        client.stream("GET", "/api/runs/1/logs?tail=1&follow=1") as response,
        asyncio.timeout(PATIENCE),
    ):
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
    async with client.stream("GET", "/api/runs/1/logs?follow=1") as response, asyncio.timeout(PATIENCE):
        await opened.write(lambda session: runs.request_stop(session, 1, by="github:octocat", now=NOW))
        assert [chunk async for chunk in response.aiter_bytes()] == []

    async with asyncio.timeout(PATIENCE):
        assert (await client.get("/api/runs/1/logs?follow=1")).text == ""


@pytest.mark.parametrize(
    "query", ["tail=-1", "tail=10001", "tail=x", "follow=2", "follow=yes", "tail=1&tail=2", "x=1"]
)
async def test_bad_log_query_is_a_problem(client: httpx.AsyncClient, opened: Store, query: str) -> None:
    await enqueue(opened)

    assert (await client.get(f"/api/runs/1/logs?{query}")).status_code == 400


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


async def test_lines_follow_the_moments_at_which_they_were_kept(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    write(logs, await enqueue(opened), b"one\ntwo\nthree\n")

    answer = await client.get("/api/runs/1/logs?timestamps=1&offset=5")

    assert answer.headers["log-offset"] == "5"
    begun, three, nothing = answer.text.split("\n")
    assert [line[WIDTH:] for line in (begun, three)] == ["wo", "three"]
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line[:WIDTH]) for line in (begun, three)
    )
    assert nothing == ""


async def test_log_of_an_older_release_has_no_moments(
    client: httpx.AsyncClient, opened: Store, logs: LogStore
) -> None:
    run = await enqueue(opened)
    write(logs, run, b"one\ntwo\n")
    os.unlink(os.path.join(logs.path(run.name), moments.NAME))

    assert (await client.get("/api/runs/1/logs?timestamps=1")).text == f"{' ' * WIDTH}one\n{' ' * WIDTH}two\n"
