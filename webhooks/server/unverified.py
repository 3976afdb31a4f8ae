"""The memory of bodies that nobody has verified yet: so much in all, and less of it for strangers.

An address is known for a day after a request of it was verified. Where memory is short, a body gives way to a
new one: of strangers first, of the address that holds most, the oldest. What is genuine comes quickly and is
verified at once, so what gives way is what somebody holds back.
"""

import asyncio
import time
from collections import OrderedDict
from types import TracebackType

MEMORY = 64 * 2**20
"""Bytes of unverified bodies in all."""

STRANGERS = 32 * 2**20
"""Bytes of that which addresses may take that are not known."""

KNOWN_S = 86400.0
"""Seconds for which an address is known."""

_REMEMBERED = 1024
"""Known addresses."""


class GaveWay(Exception):
    """The memory that this body took was needed for another one."""


class Unverified:
    """Shares `memory` bytes out, of which strangers have at most `strangers`."""

    def __init__(self, memory: int = MEMORY, strangers: int = STRANGERS) -> None:
        self._memory = memory
        self._strangers = strangers
        self._bodies: dict[Body, None] = {}  # oldest first
        self._known: OrderedDict[str, float] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes that are held now."""
        return sum(body.size for body in self._bodies)

    def body(self, address: str) -> "Body":
        """One body from `address`, to be held with `with`."""
        return Body(self, address, known=self._known.get(address, 0.0) > time.monotonic())

    def verified(self, address: str) -> None:
        """A request from there was genuine."""
        self._known[address] = time.monotonic() + KNOWN_S
        self._known.move_to_end(address)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def enter(self, body: "Body") -> None:
        """Counts it."""
        self._bodies[body] = None

    def leave(self, body: "Body") -> None:
        """Counts it no more."""
        self._bodies.pop(body, None)

    def make_room(self, body: "Body") -> None:
        """After `body` has grown: let others give way, or raise `GaveWay` where it is its own turn."""
        strangers = [each for each in self._bodies if not each.known]
        taken = sum(each.size for each in strangers)
        if taken > self._strangers:
            self._shrink(strangers, taken - self._strangers, body)
        excess = self.size - self._memory
        if excess > 0:
            # The sort is stable: strangers first, and of both the oldest.
            self._shrink(sorted(self._bodies, key=lambda each: each.known), excess, body)

    def _shrink(self, bodies: list["Body"], excess: int, body: "Body") -> None:
        sizes: dict[tuple[bool, str], int] = {}
        for each in bodies:
            key = (each.known, each.address)
            sizes[key] = sizes.get(key, 0) + each.size
        greediest = sorted(bodies, key=lambda each: (each.known, -sizes[each.known, each.address]))
        for each in greediest:
            if excess <= 0:
                return
            excess -= each.size
            if each is body:
                raise GaveWay
            self.leave(each)
            each.give_way()


class Body:
    """`with` around what the current task reads and verifies; raises `GaveWay` there."""

    __slots__ = ("_gave_way", "_memory", "_task", "address", "known", "size")

    def __init__(self, memory: Unverified, address: str, *, known: bool) -> None:
        self.address = address
        self.known = known
        self.size = 0
        self._memory = memory
        self._task: asyncio.Task[object] | None = None
        self._gave_way = False

    def grow(self, size: int) -> None:
        """It has so many bytes more, and goes on; a body that comes at once costs nothing here."""
        self.size += size
        if self._task is None:
            self._task = asyncio.current_task()
            self._memory.enter(self)
        self._memory.make_room(self)

    def verified(self) -> None:
        """It is genuine, so its address is known from now on."""
        self._memory.verified(self.address)

    def give_way(self) -> None:
        """Ends the reading of it."""
        self._gave_way = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> "Body":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._task is None:
            return
        self._memory.leave(self)
        if not self._gave_way:
            return
        # Somebody else may have cancelled it too: then that is to be heard of.
        if self._task.uncancel() <= 0 and kind is asyncio.CancelledError:
            raise GaveWay from error
