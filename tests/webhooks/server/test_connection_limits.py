import asyncio

import pytest

from demo.watched import PATIENCE
from webhooks.server import connection_limits
from webhooks.server.connection_limits import Activity, ConnectionLimit


class Peer:
    """A connection that notes whether it was ended."""

    def __init__(self) -> None:
        self.aborted = False
        self.is_closing = False
        self.activity = Activity.IDLE

    def abort(self) -> None:
        self.aborted = True


def _entered(limit: ConnectionLimit, address: str, count: int) -> list[Peer]:
    peers = [Peer() for _ in range(count)]
    assert all(limit.enter(peer, address) for peer in peers)
    return peers


async def test_address_that_has_its_share_takes_places_from_itself() -> None:
    limit = ConnectionLimit(16)
    greedy, others = _entered(limit, "203.0.113.7", 4), _entered(limit, "198.51.100.1", 2)
    _entered(limit, "203.0.113.7", 2)
    assert [peer.aborted for peer in greedy] == [True, True, False, False]
    assert not any(peer.aborted for peer in others)
    assert limit.open == 6


async def test_where_all_places_are_taken_whoever_has_most_gives_way() -> None:
    limit = ConnectionLimit(8)
    few, many = _entered(limit, "198.51.100.1", 1), _entered(limit, "203.0.113.7", 2)
    rest = [_entered(limit, f"192.0.2.{number}", 1) for number in range(5)]
    assert limit.enter(Peer(), "198.51.100.9")
    assert many[0].aborted
    assert not any(peer.aborted for peers in [few, many[1:], *rest] for peer in peers)
    assert limit.open == 8


async def test_idle_ones_give_way_first_then_those_that_wait_and_never_those_at_work() -> None:
    limit = ConnectionLimit(16)
    peers = busy, stalled, idle, busy_too = _entered(limit, "203.0.113.7", 4)
    busy.activity = busy_too.activity = Activity.BUSY
    stalled.activity = Activity.STALLED
    for aborted in ([idle], [idle, stalled]):
        (new,) = _entered(limit, "203.0.113.7", 1)
        new.activity = Activity.BUSY
        assert [peer for peer in peers if peer.aborted] == sorted(aborted, key=peers.index)
    assert not limit.enter(Peer(), "203.0.113.7")
    assert limit.open == 4


async def test_idle_for_longest_gives_way_first() -> None:
    limit = ConnectionLimit(16)
    peers = _entered(limit, "203.0.113.7", 4)
    peers[0].activity = Activity.BUSY
    _entered(limit, "203.0.113.7", 1)  # which finds the first at work, and takes the second's place
    peers[0].activity = Activity.IDLE
    limit.rest(peers[0])
    limit.rest(peers[2])
    _entered(limit, "203.0.113.7", 2)
    assert [peer.aborted for peer in peers] == [False, True, False, True]


async def test_everybody_behind_a_proxy_has_all_places() -> None:
    limit = ConnectionLimit(16, ["10.0.0.0/8", "::1"])
    for address in ("10.1.2.3", "::1"):
        assert not any(peer.aborted for peer in _entered(limit, address, 8))
    assert limit.open == 16
    for mapped in ("::ffff:10.1.2.3",):
        assert limit._name(mapped) == ("10.1.2.3", True)


async def test_network_of_version_six_is_one_address() -> None:
    limit = ConnectionLimit(16)
    peers = [_entered(limit, f"2001:db8:1:2::{number:x}", 1)[0] for number in range(5)]
    assert peers[0].aborted
    assert limit.open == 4
    assert limit._name("2001:db8:1:3::1") != limit._name("2001:db8:1:2::1")


async def test_who_leaves_is_forgotten_and_counted_once() -> None:
    limit = ConnectionLimit(8)
    (peer,) = _entered(limit, "", 1)
    for _ in range(2):
        limit.leave(peer)
    limit.rest(peer)
    assert (limit.open, limit._holders) == (0, {})


async def test_connection_that_does_not_come_to_its_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "SWEEP_S", 0.01)
    limit = ConnectionLimit(8)
    ending, open_ = _entered(limit, "203.0.113.7", 2)
    ending.is_closing = True
    async with asyncio.timeout(PATIENCE):
        while not ending.aborted:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert not open_.aborted
