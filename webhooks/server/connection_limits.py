"""How many connections may be open, in all and of one address, and which of them give way.

A new connection is not refused because others are merely open: where a bound is reached, one without a
request gives way, then one that waits for its client. Only where every connection is at work is the new one
closed. So whoever opens thousands takes places from himself, and a proxy, which brings everybody from one
address, loses idle connections only.
"""

import asyncio
import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol

MOST = 2048
"""Connections in all, unless the installation says otherwise."""

SHARE = 4
"""One address has at most this part of all places."""

SWEEP_S = 10.0
"""Seconds after which a connection that is being closed, and whose client takes nothing, is cut off."""

_NETWORK = 64
"""Bits of an IPv6 address that count: whoever has one has its whole network."""


class Activity(IntEnum):
    """What a connection does; the first two give way to new ones, in this order."""

    IDLE = 0
    """There is no request."""
    STALLED = 1
    """Its client has to send, or to read, before anything goes on."""
    BUSY = 2
    """A request is worked on."""


class Member(Protocol):
    """A connection."""

    def abort(self) -> None:
        """Ends it now, whatever it has not sent yet."""
        ...

    @property
    def is_closing(self) -> bool:
        """Whether it only sends what is left."""
        ...

    @property
    def activity(self) -> Activity:
        """What it does now; asked where places are short, and only then."""
        ...


class ConnectionLimit:
    """Counts connections: `most` in all, a quarter of that from one address that is no proxy's.

    `proxies` are addresses and networks, such as `10.0.0.0/8`, behind which there are many people.
    """

    def __init__(self, most: int = MOST, proxies: Iterable[str] = ()) -> None:
        self._most = most
        self._most_each = max(most // SHARE, 1)
        self._proxies = [ipaddress.ip_network(each, strict=False) for each in proxies]
        self._holders: dict[str, _Holder] = {}
        self._names: dict[Member, str] = {}
        self._closing: set[Member] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._names)

    def enter(self, member: Member, address: str) -> bool:
        """Takes an idle connection in; False where nobody gives way to it."""
        name, is_proxy = self._name(address)
        holder = self._holders.get(name)
        if holder is not None and not is_proxy and holder.size >= self._most_each:
            if not self._make_room([holder]):
                return False
        elif self.open >= self._most:
            # Whoever has most loses least.
            greediest = sorted(self._holders.values(), key=lambda each: each.size, reverse=True)
            if not self._make_room(greediest):
                return False
        self._holders.setdefault(name, _Holder()).idle[member] = None
        self._names[member] = name
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)
        return True

    def leave(self, member: Member) -> None:
        """Forgets it; whoever was not let in, or left before, does not matter."""
        name = self._names.pop(member, None)
        if name is None:
            return
        holder = self._holders[name]
        holder.forget(member)
        if not holder.size:
            del self._holders[name]

    def rest(self, member: Member) -> None:
        """Its request is answered: now it is the last of the idle ones to give way."""
        name = self._names.get(member)
        if name is not None:
            holder = self._holders[name]
            holder.forget(member)
            holder.idle[member] = None

    def _make_room(self, holders: Iterable["_Holder"]) -> bool:
        for holder in holders:
            oldest = holder.oldest()
            if oldest is not None:
                self.leave(oldest)
                oldest.abort()
                return True
        return False

    def _name(self, address: str) -> tuple[str, bool]:
        """By what an address is counted, and whether it is a proxy's."""
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:  # a socket that has no such addresses
            return address, False
        if isinstance(parsed, ipaddress.IPv6Address):
            parsed = parsed.ipv4_mapped or parsed
        if any(parsed in network for network in self._proxies):
            return str(parsed), True
        if parsed.version == 6:
            return str(ipaddress.ip_network((int(parsed), _NETWORK), strict=False)), False
        return str(parsed), False

    def _sweep(self) -> None:
        """Cuts off what was being closed at the last look already."""
        closing = {member for member in self._names if member.is_closing}
        for member in closing & self._closing:
            member.abort()
        self._closing = closing - self._closing
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SWEEP_S, self._sweep) if self._names else None


class _Holder:
    """The connections of one address: those idle when last looked at, oldest first, and the others."""

    __slots__ = ("idle", "working")

    def __init__(self) -> None:
        self.idle: OrderedDict[Member, None] = OrderedDict()
        self.working: OrderedDict[Member, None] = OrderedDict()

    @property
    def size(self) -> int:
        return len(self.idle) + len(self.working)

    def forget(self, member: Member) -> None:
        if member in self.idle:
            del self.idle[member]
        else:
            self.working.pop(member, None)

    def oldest(self) -> Member | None:
        """Who gives way first, if anybody does."""
        while self.idle:
            member = next(iter(self.idle))
            if member.activity is Activity.IDLE:
                return member
            del self.idle[member]
            self.working[member] = None
        return next((each for each in self.working if each.activity is Activity.STALLED), None)
