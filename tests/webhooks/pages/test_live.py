"""Event streams over real HTTP: they go on where they were, and end when they should."""

import asyncio

import httpx
import pytest

from demo.watched import PATIENCE
from tests.webhooks.installation import (
    Away,
    Events,
    Installation,
    client,
    here,
    lines,
    member,
)
from webhooks import streams
from webhooks.pages import live

__all__ = ["client", "here", "member"]


async def test_stream_tells_log_states_and_the_end(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    writer = here.writer(run)
    async with client.stream("GET", here.link(run, "/events")) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert "Running" in (await events.next("state"))["head"]
        writer.write(b"\x1b[31mone\ntw")
        here.logs.wake(run.name)
        data = await events.next("log")
        assert lines(data["done"]) == ["one"]
        assert lines(data["open"]) == ["tw"]
        assert events.last_id == "9:2:38;5;1"

        writer.write(b"o\n")
        writer.finish()
        here.logs.wake(run.name)
        assert lines((await events.next("log"))["done"]) == ["two"]
        await here.finish(run)
        assert "Succeeded" in (await events.next("state"))["head"]
        await events.next("end")
    await nobody_listens(here)


async def nobody_listens(here: Installation) -> None:
    async with asyncio.timeout(PATIENCE):
        await here.site.streams.drained()
    assert here.store.changes.listeners == 0


async def test_stream_goes_on_without_a_lost_or_doubled_byte(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    writer = here.writer(run)
    whole, last_id, at = b"", "", 0
    done = ""
    for piece in (b"a\x1b[1mb\nc", b"d\xe2\x82", b"\xac\nlast", b" line\x1b[0m\n", b"end"):
        headers = {"last-event-id": last_id} if last_id else {}
        writer.write(piece)
        here.logs.wake(run.name)
        whole += piece
        at += len(piece)
        async with client.stream("GET", here.link(run, "/events"), headers=headers) as response:
            events = Events(response)
            data = await events.next("log")
            assert data["size"] == at
            done, last_id = done + data["done"], events.last_id
    writer.finish()
    await here.finish(run)

    page = (await client.get(here.link(run))).text

    assert done + data["open"] in page
    assert lines(done + data["open"]) == ["ab", "cd€", "last line", "end"]


async def test_stream_of_a_finished_run_tells_all_and_ends(
    here: Installation, client: httpx.AsyncClient
) -> None:
    run = await here.start_run()
    await here.log(run, b"x" * 100_000 + b"\nlast\n")
    await here.finish(run)

    async with client.stream("GET", here.link(run, "/events")) as response:
        assert lines(await Events(response).shown())[1:] == ["last"]


async def test_stream_of_a_log_that_nobody_ended_ends_with_its_run(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOG_END_S", 0.05)
    run = await here.start_run()
    here.writer(run).write(b"one\ntwo")

    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("log")
        await here.finish(run, result="error", reason="SupervisorLost")
        assert lines(await events.shown()) == ["one", "two"] or events.last_id == "4:2:"


async def test_stream_starts_before_there_is_a_log(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()

    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")
        await here.log(run, b"late\n")
        assert lines((await events.next("log"))["done"]) == ["late"]


@pytest.mark.parametrize("point", ["x", "-1", "1:0:", "1:1:;<b>", "9" * 40, "1:1:1:1", "1:2:" + "1" * 99])
async def test_stream_refuses_what_is_no_event_id(
    here: Installation, client: httpx.AsyncClient, point: str
) -> None:
    run = await here.start_run()

    answer = await client.get(here.link(run, "/events"), headers={"last-event-id": point})

    assert answer.status_code == 400


async def test_quiet_stream_beats_and_ends_with_the_right_to_see(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
    run = await here.start_run()

    async with client.stream("GET", here.link(run, "/events")) as response:
        texts = response.aiter_text()
        seen = ""
        async with asyncio.timeout(PATIENCE):
            while ": still here\n\n" not in seen:
                seen += await anext(texts)
            here.now += 601
            async for text in texts:
                seen += text
    assert "event: end" not in seen


async def test_streams_are_counted_and_bounded(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.site.streams, "_most_per_visitor", 2)
    run = await here.start_run()
    address = here.link(run, "/events")

    async with client.stream("GET", address) as one, client.stream("GET", address) as two:
        readers = Events(one), Events(two)  # a reader that is let go would end its stream
        for reader in readers:
            await reader.next("state")
        third = await client.get(address)
        assert (third.status_code, third.headers["retry-after"]) == (503, "5")
        assert (await client.get(here.link(run))).status_code == 200
    await nobody_listens(here)
    async with client.stream("GET", address) as again:
        assert again.status_code == 200


async def test_client_that_does_not_read_is_let_go(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "SLOW_CLIENT_S", 0.1)
    run = await here.start_run()
    await here.log(run, b"x" * 30 * 2**20)
    host, port = here.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
    writer.write(f"GET {here.link(run, '/log')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    assert here.site.streams.open == 1

    await nobody_listens(here)

    writer.transport.abort()


async def test_shutdown_is_not_held_up_by_streams(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()
    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")

        here.site.streams.close()

        assert await events.shown() == ""
    assert (await client.get(here.link(run, "/events"))).status_code == 503
    here.server.should_exit = True
    async with asyncio.timeout(PATIENCE):
        await here.serving


async def test_head_of_a_stream_does_not_go_on(here: Installation, client: httpx.AsyncClient) -> None:
    run = await here.start_run()

    assert (await client.head(here.link(run, "/events"))).status_code == 200
    assert (await client.head(here.link(run, "/log"))).headers["content-type"].startswith("text/plain")


async def test_stream_outlives_a_moment_without_the_database(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here, after=2, calls=1))
    async with client.stream("GET", here.link(run, "/events")) as response:
        events = Events(response)
        await events.next("state")

        here.store.changes.publish(run)
        await here.log(run, b"last\n")
        await here.finish(run)

        await events.next("end")


async def test_stream_that_begins_without_the_database_ends(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.store, "read", Away(here, after=1))

    async with client.stream("GET", here.link(run, "/events")) as response:
        assert await Events(response).shown() == ""


async def test_log_that_cannot_be_read_ends_its_stream(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise OSError("input/output error")

    run = await here.start_run()
    monkeypatch.setattr(here.logs, "read", broken)
    monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)

    async with client.stream("GET", here.link(run, "/events")) as response:
        with pytest.raises(httpx.RemoteProtocolError):
            await Events(response).shown()
    with pytest.raises(httpx.RemoteProtocolError):
        await client.get(here.link(run, "/log"))
    await nobody_listens(here)


async def test_downloads_are_bounded_as_well(
    here: Installation, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await here.start_run()
    monkeypatch.setattr(here.site.streams, "_most", 0)

    assert (await client.get(here.link(run, "/log"))).status_code == 503
