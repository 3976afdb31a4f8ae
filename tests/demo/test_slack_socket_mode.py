"""Socket Mode of the Slack stand-in."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from demo.slack import SlackStandIn
from demo.slack.socket_mode import Connection
from demo.standins import serving

HASTY = aiohttp.ClientWSTimeout(ws_close=0.01)  # nobody answers a close when all is broken off
Socket = aiohttp.ClientWebSocketResponse


class App:
    """An app that opens connections and answers what comes."""

    def __init__(self, slack: SlackStandIn, session: aiohttp.ClientSession) -> None:
        self.slack = slack
        self.session = session
        self.sockets: list[Socket] = []

    async def address(self, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token or self.slack.app_token}"}
        async with self.session.post(
            f"{self.slack.url}/api/apps.connections.open", headers=headers
        ) as answer:
            return await answer.json()

    async def connect(self) -> tuple[Socket, Any]:
        """A new connection and its hello."""
        socket = await self.session.ws_connect((await self.address())["url"], autoping=False, timeout=HASTY)
        self.sockets.append(socket)
        return socket, await socket.receive_json()

    @property
    def connections(self) -> list[Connection]:
        return self.slack.socket_mode.connections


async def acknowledge(socket: Socket, payload: Any = None) -> Any:
    """Take the next envelope."""
    envelope = await socket.receive_json()
    answer = {"envelope_id": envelope["envelope_id"]} | ({"payload": payload} if payload else {})
    await socket.send_json(answer)
    return envelope


@pytest.fixture
async def app() -> AsyncIterator[App]:
    slack = SlackStandIn()
    slack.add_channel("ops")
    async with serving(slack) as url, aiohttp.ClientSession() as session:
        slack.url = url
        made = App(slack, session)
        yield made
        await slack.socket_mode.stop()
        for socket in made.sockets:
            await socket.close()


async def test_connection_is_opened_with_the_token_of_the_app(app: App) -> None:
    assert (await app.address(app.slack.token))["error"] == "not_allowed_token_type"
    app.slack.credentials.app_scopes.clear()
    assert (await app.address())["needed"] == "connections:write"
    app.slack.credentials.app_scopes.add("connections:write")
    url = (await app.address())["url"]
    socket = await app.session.ws_connect(url)
    hello = await socket.receive_json()
    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert hello["connection_info"] == {"app_id": app.slack.app_id}
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await app.session.ws_connect(url)  # a ticket is for one


async def test_command_is_acknowledged_with_an_answer(app: App) -> None:
    socket, _ = await app.connect()
    sent = asyncio.create_task(app.slack.slash("list"))
    envelope = await acknowledge(socket, {"text": "no jobs"})
    assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
    assert (await sent).json() == {"text": "no jobs"}
    assert [each.text for each in app.slack.ephemerals] == ["no jobs"]


async def test_envelope_goes_to_one_of_the_connections(app: App) -> None:
    sockets = [(await app.connect())[0] for _ in range(2)]
    sent = [asyncio.create_task(app.slack.open_home()) for _ in range(2)]
    envelopes = [await acknowledge(socket) for socket in sockets]
    assert [(await each).status_code for each in sent] == [200, 200]
    assert [each["type"] for each in envelopes] == ["events_api", "events_api"]
    assert len({each["payload"]["event_id"] for each in envelopes}) == 2


async def test_event_without_an_answer_comes_again_over_another(app: App) -> None:
    app.slack.socket_mode.acknowledged_seconds = 0.01
    first, _ = await app.connect()
    second, _ = await app.connect()
    sent = asyncio.create_task(app.slack.open_home())
    lost = await first.receive_json()
    again = await acknowledge(second)
    assert (await sent).status_code == 200
    assert (lost["retry_attempt"], again["retry_attempt"], again["retry_reason"]) == (0, 1, "timeout")
    assert lost["payload"] == again["payload"]
    assert lost["envelope_id"] != again["envelope_id"]


async def test_connection_that_breaks_loses_nothing(app: App) -> None:
    first, _ = await app.connect()
    second, _ = await app.connect()
    sent = asyncio.create_task(app.slack.shortcut("run_job"))
    await first.receive_json()
    app.connections[0].drop()
    assert (await acknowledge(second))["payload"]["callback_id"] == "run_job"
    assert (await sent).status_code == 200
    await app.slack.wait_for(lambda: len(app.connections) == 1)
    assert (await first.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


async def test_connection_that_is_to_be_refreshed_gets_nothing_more(app: App) -> None:
    first, _ = await app.connect()
    await app.connections[0].disconnect("warning")
    await app.connections[0].disconnect("refresh_requested")
    reasons = [(await first.receive_json())["reason"] for _ in range(2)]
    assert reasons == ["warning", "refresh_requested"]
    sent = asyncio.create_task(app.slack.open_home())  # waits for a connection that stays
    second, _ = await app.connect()
    await acknowledge(second)
    assert (await sent).status_code == 200
    await app.connections[0].end()
    assert (await first.receive()).type == aiohttp.WSMsgType.CLOSE


async def test_envelope_comes_again_as_it_is(app: App) -> None:
    socket, _ = await app.connect()
    sent = asyncio.create_task(app.slack.open_home())
    first = await acknowledge(socket)
    await sent
    again = asyncio.create_task(app.slack.socket_mode.send_again())
    assert await acknowledge(socket) == first
    await again


async def test_what_acknowledges_nothing_is_written_down(app: App) -> None:
    socket, _ = await app.connect()
    for text in ("x", "[]", json.dumps({"envelope_id": "nope"})):
        await socket.send_str(text)
    await app.slack.wait_for(lambda: len(app.slack.socket_mode.strays) == 3)
    sent = asyncio.create_task(app.slack.open_home())
    await acknowledge(socket, {"text": "an event takes no answer"})
    with pytest.raises(ValueError, match="takes none"):
        await sent


async def test_more_connections_than_slack_takes_are_refused(app: App) -> None:
    there = [await app.connect() for _ in range(10)]
    assert [hello["num_connections"] for _, hello in there] == list(range(1, 11))
    socket, refused = await app.connect()
    assert (refused["type"], refused["reason"]) == ("disconnect", "too_many_websockets")
    assert (await socket.receive()).type == aiohttp.WSMsgType.CLOSE


async def test_ping_is_answered_until_the_connection_only_seems_to_be_there(app: App) -> None:
    socket, _ = await app.connect()
    await socket.ping(b"1")
    assert (await socket.receive()).type == aiohttp.WSMsgType.PONG
    app.connections[0].silent = True
    await socket.ping(b"2")
    sent = asyncio.create_task(app.slack.open_home())
    await acknowledge(socket)  # nothing came before it
    assert (await sent).status_code == 200
