"""Envelopes are stored before they are acknowledged, over connections that come, go, overlap and break."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.errors import RetryLater
from bot.slack import socket_connection, socket_mode
from bot.slack.socket_mode import SocketMode
from bot.telemetry.metrics import REGISTRY
from executor.spec import Secret
from tests.bot.slack.sockets import Link, Sockets, serving_sockets


class Taker:
    """What is stored, by its key: once, however often it comes."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.entered = asyncio.Event()
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.failures: list[Exception] = []
        self.free = asyncio.Event()
        self.free.set()

    @property
    def stored(self) -> set[str]:
        return set(self.calls)

    async def take(self, type: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        self.entered.set()
        await self.free.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append(str(payload["trigger_id"]))
        return self.answers.get(str(payload["trigger_id"]))


@pytest.fixture
async def slack() -> AsyncIterator[Sockets]:
    async with serving_sockets() as sockets:
        yield sockets


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is soon a good one, and a second attempt does not wait for long."""
    monkeypatch.setattr(socket_mode, "STABLE_S", 0.05)
    monkeypatch.setattr(socket_mode, "LONGEST_S", 0.02)


@asynccontextmanager
async def running(slack: Sockets, taker: Taker, jitter: float = 0.0) -> AsyncIterator[SocketMode]:
    """Socket Mode as the service runs it."""
    made = SocketMode(
        api_url=f"{slack.url}/api/",
        app_token=Secret("xapp-1"),
        take=taker.take,
        clock=time.time,
        jitter=lambda: jitter,
    )
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def mode(slack: Sockets, taker: Taker) -> AsyncIterator[SocketMode]:
    async with running(slack, taker) as made:
        yield made
    assert not made.is_connected


async def _stable() -> None:
    """Long enough for a connection to count as a good one."""
    await asyncio.sleep(0.1)


async def _works(slack: Sockets, link: Link) -> None:
    """Both sides know of the connection."""
    await link.send("works")
    await slack.until(lambda: "works" in link.acknowledged)


async def test_envelope_is_acknowledged_once_it_is_stored_and_not_before(
    slack: Sockets, taker: Taker, mode: SocketMode
) -> None:
    link = await slack.link(0)
    taker.free.clear()
    await link.send("1")
    await taker.entered.wait()
    assert link.acknowledged == {}
    taker.free.set()
    await slack.until(lambda: "1" in link.acknowledged)
    assert (taker.calls, link.acknowledged, mode.is_connected) == (["1"], {"1": None}, True)


async def test_one_that_takes_long_holds_up_no_other(slack: Sockets, taker: Taker, mode: SocketMode) -> None:
    link = await slack.link(0)
    slow = asyncio.Event()
    take = taker.take

    async def waiting(type: str, payload: Mapping[str, Any]) -> Mapping[str, Any] | None:
        if payload["trigger_id"] == "slow":
            await slow.wait()
        return await take(type, payload)

    mode._take = waiting
    link.kill()
    link = await slack.link(1)
    await link.send("slow")
    await link.send("quick")
    await slack.until(lambda: "quick" in link.acknowledged)
    slow.set()
    await slack.until(lambda: "slow" in link.acknowledged)


async def test_answer_goes_with_the_acknowledgement_where_slack_takes_one(
    slack: Sockets, taker: Taker, mode: SocketMode
) -> None:
    link = await slack.link(0)
    taker.answers = {id: {"response_action": "errors"} for id in "12"}
    await link.send("1", "interactive", accepts_response_payload=True)
    await link.send("2", "interactive")
    await slack.until(lambda: set("12") <= set(link.acknowledged))
    assert link.acknowledged == {"1": {"response_action": "errors"}, "2": None}


async def test_what_is_not_stored_is_not_acknowledged_and_comes_again(
    slack: Sockets, taker: Taker, mode: SocketMode
) -> None:
    link = await slack.link(0)
    taker.failures = [RetryLater("the database is away"), RuntimeError("a secret of the payload")]
    with capture_logs() as lines:
        await link.send("1")
        await link.send("2")
        await link.send("3")
        await slack.until(lambda: "3" in link.acknowledged)
        assert set(link.acknowledged) == {"3"}
        await link.send("1", retry_attempt=1, retry_reason="timeout")
        await slack.until(lambda: "1" in link.acknowledged)
    assert "secret" not in str(lines)


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "something_new"])
async def test_next_connection_is_there_before_the_old_one_goes_and_nothing_is_lost(
    slack: Sockets, taker: Taker, mode: SocketMode, reason: str
) -> None:
    old = await slack.link(0)
    await _stable()
    await old.disconnect(reason)
    new = await slack.link(1)
    assert not old.closed
    for number in range(10):
        await (old, new)[number % 2].send(str(number))
    await slack.until(lambda: len(old.acknowledged) == len(new.acknowledged) == 5)
    await old.socket.close()
    await slack.until(lambda: old.closed)
    await new.send("10")
    await slack.until(lambda: "10" in new.acknowledged)
    assert taker.stored == {str(number) for number in range(11)}
    assert (len(taker.calls), len(slack.links), mode.is_connected) == (11, 2, True)


async def test_what_is_being_stored_when_the_connection_is_renewed_is_acknowledged_where_it_came_from(
    slack: Sockets, taker: Taker, mode: SocketMode
) -> None:
    old = await slack.link(0)
    await _stable()
    taker.free.clear()
    await old.send("1")
    await old.disconnect("refresh_requested")
    new = await slack.link(1)
    taker.free.set()
    await slack.until(lambda: "1" in old.acknowledged)
    assert new.acknowledged == {}


async def test_old_connection_that_slack_leaves_open_is_closed(
    slack: Sockets, mode: SocketMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "LINGER_S", 0.05)
    old = await slack.link(0)
    await _stable()
    await old.disconnect("warning")
    new = await slack.link(1)
    await slack.until(lambda: old.closed)
    assert not new.closed


async def test_connection_is_renewed_before_the_end_of_the_life_that_slack_gives_it(slack: Sockets) -> None:
    slack.life, taker = 0.4, Taker()
    async with running(slack, taker):
        first = await slack.link(0)
        slack.life = 3600.0
        second = await slack.link(1)
        assert not first.closed
        await first.send("1")
        await second.send("2")
        await slack.until(lambda: set(first.acknowledged) == {"1"} and set(second.acknowledged) == {"2"})


async def test_killed_connection_is_replaced_and_its_envelopes_come_again(
    slack: Sockets, taker: Taker, mode: SocketMode
) -> None:
    first = await slack.link(0)
    taker.free.clear()
    await first.send("1")
    first.kill()
    second = await slack.link(1)
    taker.free.set()
    await second.send("1", retry_attempt=1)
    await slack.until(lambda: "1" in second.acknowledged)
    assert taker.stored == {"1"}


async def test_silent_connection_is_found_out(
    slack: Sockets, monkeypatch: pytest.MonkeyPatch, taker: Taker
) -> None:
    monkeypatch.setattr(socket_connection, "HEARTBEAT_S", 0.1)
    async with running(slack, taker):
        first = await slack.link(0)
        transport = first.socket._req.transport if first.socket._req is not None else None
        assert transport is not None
        transport.pause_reading()  # no pong any more
        await slack.link(1)


async def test_slack_that_is_away_is_told_once_and_tried_again(slack: Sockets, taker: Taker) -> None:
    slack.refusals = [(503, {}, {}), (200, {"ok": False, "error": "internal_error"}, {}), (500, {}, {})]
    with capture_logs() as lines:
        async with running(slack, taker):
            await _works(slack, await slack.link(0))
    events = [line["event"] for line in lines]
    assert events == ["slack.unreachable", "slack.connected", "slack.disconnected"]
    assert slack.opened == 4
    assert "secret" not in str(lines)


@pytest.mark.parametrize(
    ("answer", "greeting", "says"),
    [
        ({"ok": False, "error": "invalid_auth"}, None, "slack.app_token"),
        ({"ok": False, "error": "not_allowed_token_type"}, None, "slack.app_token"),
        ({"ok": False, "error": "missing_scope", "needed": "connections:write"}, None, "connections:write"),
        (None, {"type": "disconnect", "reason": "link_disabled"}, "turn it on"),
        (None, {"type": "disconnect", "reason": "too_many_websockets"}, "ten connections"),
    ],
)
async def test_what_an_operator_has_to_mend_is_told_once(
    slack: Sockets, taker: Taker, answer: dict[str, Any] | None, greeting: dict[str, Any] | None, says: str
) -> None:
    slack.refusals = [(200, answer, {})] * 3 if answer else []
    slack.greetings = [greeting] * 3 if greeting else []
    with capture_logs() as lines:
        async with running(slack, taker):
            await slack.link(0)
            await _stable()
    told = [line for line in lines if line["event"] == "slack.fault"]
    assert len(told) == 1
    assert says in told[0]["what"]
    assert slack.opened == 4
    assert "slack.mended" in [line["event"] for line in lines]


async def test_connections_that_end_at_once_are_no_storm(
    slack: Sockets, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "STABLE_S", 10.0)
    monkeypatch.setattr(socket_mode, "LONGEST_S", 60.0)
    pauses: list[float] = []
    pause = SocketMode._pause

    def counted(self: SocketMode) -> float:
        pauses.append(pause(self))
        return 0.0

    monkeypatch.setattr(SocketMode, "_pause", counted)
    async with running(slack, taker, jitter=1.0):
        for number in range(9):
            (await slack.link(number)).kill()
        await slack.link(9)
    assert pauses[:10] == [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]


async def test_connection_that_brought_something_is_replaced_at_once(
    slack: Sockets, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_mode, "STABLE_S", 1000.0)
    monkeypatch.setattr(socket_mode, "LONGEST_S", 1000.0)
    async with running(slack, taker):
        for number in range(5):
            link = await slack.link(number)
            await _works(slack, link)
            link.kill()
        await slack.link(5)


async def test_retry_after_is_waited_for(slack: Sockets, taker: Taker, mode: SocketMode) -> None:
    mode._fail(RetryLater("Slack limits our calls", delay=30.0))
    assert mode._pause() == 30.0
    assert mode._pause() < 30.0


async def test_ending_waits_for_what_is_being_stored(slack: Sockets, taker: Taker) -> None:
    async with running(slack, taker):
        link = await slack.link(0)
        taker.free.clear()
        await link.send("1")
        await taker.entered.wait()
        asyncio.get_running_loop().call_later(0.05, taker.free.set)
    await slack.until(lambda: link.closed)
    assert "1" in link.acknowledged
    assert REGISTRY.get_sample_value("errand_slack_connections") == 0


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"type":"hello"}', '{"envelope_id":7}', "[" * 100_000])
async def test_what_is_no_envelope_is_passed_over(
    slack: Sockets, taker: Taker, mode: SocketMode, text: str
) -> None:
    link = await slack.link(0)
    await link.socket.send_str(text)
    await link.send("1")
    await slack.until(lambda: "1" in link.acknowledged)
    assert taker.calls == ["1"]
    assert len(slack.links) == 1


@pytest.mark.parametrize("url", ["http://evil.example.com/", "", None, "ftp://x", 7])
async def test_address_that_is_no_websocket_is_not_opened(slack: Sockets, taker: Taker, url: object) -> None:
    slack.refusals = [(200, {"ok": True, "url": url}, {})]
    async with running(slack, taker):
        await slack.link(0)
    assert slack.opened == 2
