"""Calls of deploy hooks over real HTTP: what is kept of a caller, and that nobody waits for ever."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.store import hooks
from demo.watched import PATIENCE
from tests.bot.house import House, house
from tests.webhooks.whole import served
from webhooks.streams import Streams

PLACES = 4


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


@pytest.fixture
def streams() -> Streams:
    return Streams(most_per_visitor=PLACES)


@pytest.fixture
async def client(home: House, streams: Streams) -> AsyncIterator[httpx.AsyncClient]:
    async with served(home, "admin", streams=streams) as made:
        yield made


async def hook(client: httpx.AsyncClient, name: str = "ci") -> httpx.Headers:
    """The headers of a call of a new hook."""
    made = await client.post("/api/hooks", json={"job": "plain", "name": name})
    assert made.status_code == 201, made.text
    return httpx.Headers({"authorization": f"Bearer {made.json()['token']}", "idempotency-key": "one"})


async def test_places_of_those_who_wait_and_leave_are_free_again(
    client: httpx.AsyncClient, streams: Streams
) -> None:
    headers, path = await hook(client), "/hooks/plain?wait=600"
    assert (await client.post("/hooks/plain", headers=headers)).status_code == 201  # nothing carries it out
    waiting = {asyncio.create_task(client.post(path, headers=headers, timeout=60)) for _ in range(10)}
    answered: set[asyncio.Task[httpx.Response]] = set()
    while len(answered) < 10 - PLACES:  # who finds no place is answered at once
        done, waiting = await asyncio.wait(waiting, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert done
        answered |= done
    assert [task.result().json()["result"] for task in answered] == [None] * (10 - PLACES)
    assert (len(waiting), streams.open) == (PLACES, PLACES)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    async with asyncio.timeout(PATIENCE):
        await streams.drained()


async def test_wait_ends_with_the_service(client: httpx.AsyncClient, streams: Streams) -> None:
    headers = await hook(client)
    await client.post("/hooks/plain", headers=headers)
    streams.close()
    answer = await client.post("/hooks/plain?wait=600", headers=headers)
    assert (answer.status_code, answer.json()["result"]) == (200, None)
    assert streams.open == 0


async def test_time_that_is_none_starts_nothing(client: httpx.AsyncClient) -> None:
    headers = await hook(client)
    for wait in ("nan", "-1", "601", "", "1.5", "1e2", "+5", "\u0665", "9" * 30):
        answer = await client.post("/hooks/plain", params={"wait": wait}, headers=headers)
        assert (answer.status_code, wait) == (400, wait)
    assert (await client.get("/api/runs")).json()["runs"] == []


async def test_what_is_kept_of_a_caller_is_short_and_printable(client: httpx.AsyncClient) -> None:
    """A proxy on this machine says whom it speaks for, and is believed: also if it speaks nonsense."""
    headers = await hook(client)
    said = [(b"x-forwarded-for", b"A" * 5000 + b"\x9b31m"), (b"user-agent", b"\x9b31mB" * 500)]
    assert (await client.post("/hooks/plain", headers=[*headers.raw, *said])).status_code == 201
    said = [(b"x-forwarded-for", b"\x9b31m\xad"), (b"user-agent", b"")]
    for kept in (100 + 1 + 100, 6):
        (told,) = (await client.get("/api/hooks")).json()["hooks"]
        assert len(told["last_used_by"]) <= kept
        assert told["last_used_by"].isprintable()
        headers["idempotency-key"] = "two"
        await client.post("/hooks/plain", headers=[*headers.raw, *said])


async def test_hook_that_is_deleted_while_it_is_called_starts_nothing_more(
    client: httpx.AsyncClient, home: House
) -> None:
    headers = await hook(client)
    del headers["idempotency-key"]
    calls = [asyncio.create_task(client.post("/hooks/plain", headers=headers)) for _ in range(30)]
    await asyncio.wait(calls, timeout=60, return_when=asyncio.FIRST_COMPLETED)
    assert (await client.delete("/api/hooks/plain/ci")).status_code == 204
    answers = await asyncio.gather(*calls)
    assert {each.status_code for each in answers} <= {201, 401}
    started = sum(each.status_code == 201 for each in answers)
    assert len((await client.get("/api/runs?limit=100")).json()["runs"]) == started
    assert await home.store.read(hooks.list) == []
    assert (await client.post("/hooks/plain", headers=headers)).status_code == 401
