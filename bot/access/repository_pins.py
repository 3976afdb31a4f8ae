"""Which repository something is of: by its number, which stays when it is renamed, and not by its name. Pure.

The first number that is seen of a name that this installation knows is pinned to it. Later the number
decides: a pinned one under another name was renamed or transferred and is still the one that `app.yaml`
names; another one under a pinned name took that over, and has no rights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.tables import RepositoryPin


@dataclass(frozen=True, slots=True)
class Identity:
    """A repository as GitHub says that it is. `current`: its name today, where `name` may be an older one."""

    name: str
    number: int
    owner_number: int | None = None
    current: str = ""

    @property
    def key(self) -> str:
        """The name as it is compared: GitHub does not tell names by case."""
        return self.name.casefold()

    @property
    def owner(self) -> str:
        """The account that the name begins with, as it is compared."""
        return owner_of(self.name)

    @property
    def shown(self) -> str:
        """What GitHub calls it today."""
        return self.current or self.name


class Names(Protocol):
    """What the configuration says of names, in small letters."""

    def names(self, name: str) -> bool:
        """Whether it has this very name somewhere."""
        ...

    def allows(self, name: str) -> bool:
        """Whether a repository of this name may have rights here."""
        ...


@dataclass(frozen=True, slots=True)
class PinVerdict:
    """`name` is by what the repository is known here; `rivals` are the pins that it has no right to.

    `pins`: names that are its own from now on. `stale`: other names of it, whose pins do not know what GitHub
    calls it today.
    """

    name: str
    rivals: tuple[RepositoryPin, ...] = ()
    pins: tuple[str, ...] = ()
    stale: tuple[RepositoryPin, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is to be stored."""
        return bool(self.pins or self.stale)


def decide(seen: Identity, pins: Sequence[RepositoryPin], names: Names) -> PinVerdict:
    """What `seen` is, given the pins of its name and its owner, and those of both numbers."""
    mine = [pin for pin in pins if "/" in pin.name and pin.number == seen.number]
    here = next((pin for pin in pins if pin.name == seen.key), None)
    if mine:
        accounts = [pin.name for pin in pins if "/" not in pin.name and pin.number == seen.owner_number]
        return _known(seen, mine, here, _Holders(names, {owner_of(seen.shown), *accounts}))
    rivals = [] if here is None else [here]
    account = next((pin for pin in pins if pin.name == seen.owner), None)
    if account is not None and seen.owner_number not in (None, account.number):
        rivals.append(account)
    if rivals:
        return PinVerdict(seen.name, tuple(rivals))
    return PinVerdict(seen.name, pins=(seen.key,) if names.allows(seen.key) else ())


def owner_of(name: str) -> str:
    """The account that a name begins with, as it is compared."""
    return name.casefold().partition("/")[0]


@dataclass(frozen=True, slots=True)
class _Holders:
    """What names hold for a repository of these `accounts`, which are names of the one that has it.

    A pattern speaks of an account: what has left that is not meant any more. A name that is written is.
    """

    names: Names
    accounts: set[str]

    def rank(self, name: str) -> int:
        """0 where the name is written, 1 where a pattern lets it in, 2 where nothing does."""
        if self.names.names(name):
            return 0
        return 1 if self.names.allows(name) and owner_of(name) in self.accounts else 2


def _known(
    seen: Identity, mine: Sequence[RepositoryPin], here: RepositoryPin | None, holders: _Holders
) -> PinVerdict:
    """The same for a pinned number: what is written before patterns, then its own name before older ones."""
    older = [pin.name for pin in mine if pin.name != seen.key]
    own = [seen.key] if here is None or here in mine else []
    ranks = {name: rank for name in (*own, *older) if (rank := holders.rank(name)) < 2}
    stale = tuple(pin for pin in mine if pin.current != seen.shown)
    if not ranks:
        return PinVerdict(seen.shown, stale=stale)
    name = min(ranks, key=lambda each: ranks[each])
    if name != seen.key:
        return PinVerdict(name, stale=stale)
    return PinVerdict(seen.name, pins=() if here is not None else (name,), stale=stale)
