"""Who holds leases."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.store.store import Store


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """This bot as the database knows it: claims are by `owner`, which no other bot is called.

    `clock` gives seconds since the epoch, by which leases end.
    """

    store: Store
    owner: str
    clock: Callable[[], float]
