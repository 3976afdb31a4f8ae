"""Repositories by their number: who comes under a name that was somebody else's has no rights.

Names are pinned when they are first seen in something that GitHub signed or answered. What is asked of GitHub
afterwards is asked by the number, so nobody who has the name by now answers for it.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from bot.access.repository_pins import Identity, PinVerdict, decide, owner_of
from bot.catalog.catalog import Catalog
from bot.errors import AskerError, NotAllowed, Refused
from bot.github import GitHub, KnownRepository, Repository
from bot.registry import Registry
from bot.states import EntryKind
from bot.store import Session, Store, journal, pins, repository_files
from bot.store.journal_entries import of_admin
from bot.tables import RepositoryPin
from bot.telemetry.metrics import count_rival
from bot.text.globs import matches
from bot.text.wording import quoted

log = structlog.get_logger()

K = TypeVar("K")
V = TypeVar("V")

KEPT = 60.0
"""Seconds that an answer of the database is believed: another bot may have heard of a new name."""
MOST = 4096
"""Answers that are kept, of either kind."""

COMMAND = "errand repositories forget"
"""By which whoever runs Errand lets the next repository of a name in."""


class Stranger(NotAllowed):
    """A repository, or its owner, has a name that was another one's. `note` is for the operator."""

    def __init__(self, name: str, note: str) -> None:
        super().__init__(
            f"Jobs of {quoted(name)} are not run here. Whoever runs Errand finds the reason in its log."
        )
        self.note = note


@dataclass(frozen=True, slots=True)
class _Written:
    """What a catalog and its configuration say of names, in small letters."""

    catalog: Catalog
    exact: frozenset[str]
    patterns: tuple[str, ...]

    def names(self, name: str) -> bool:
        return name in self.exact

    def allows(self, name: str) -> bool:
        return name in self.exact or any(matches(pattern, name) for pattern in self.patterns)


class Repositories:
    """Knows the numbers; `clock` gives seconds since the epoch."""

    def __init__(self, store: Store, registry: Registry, clock: Callable[[], float]) -> None:
        self._store = store
        self._registry = registry
        self._clock = clock
        self._written: _Written | None = None
        self._admitted: OrderedDict[Identity, tuple[float, str]] = OrderedDict()
        self._numbers: OrderedDict[str, tuple[float, KnownRepository | None]] = OrderedDict()

    async def admit(self, seen: Identity, *, door: str) -> str:
        """By which name the repository is known here; `Stranger` where its name was another one's.

        A name that is seen for the first time is pinned. `door` is where it was seen, for the metrics.
        """
        written, now = self._names(), self._clock()
        kept = self._admitted.get(seen)
        if kept is not None and kept[0] > now:
            return kept[1]
        verdict = await self._store.read(lambda s: decide(seen, _around(s, seen), written))
        if verdict.changes:
            verdict = await self._store.write(lambda s: self._settle(s, seen, written))
            self._numbers.clear()
        if verdict.rivals:
            count_rival(door)
            raise await self._refuse(seen, verdict.rivals)
        self._tell(seen, verdict)
        name = self._registry.catalog.spelling(verdict.name)
        _keep(self._admitted, seen, (now + KEPT, name))
        return name

    async def known(self, name: str) -> KnownRepository | None:
        """The number that is pinned to a name, and what GitHub calls it today; None for one without."""
        key, now = name.casefold(), self._clock()
        kept = self._numbers.get(key)
        if kept is not None and kept[0] > now:
            return kept[1]
        row = await self._store.read(lambda s: pins.find(s, key))
        identity = None if row is None else KnownRepository(row.number, row.current or name)
        _keep(self._numbers, key, (now + KEPT, identity))
        return identity

    async def about(self, github: GitHub, name: str) -> Repository:
        """What GitHub says of the repository that has the name here; `NotAllowed` where that is gone."""
        try:
            repository = await github.repository(name)
        except Refused as refused:
            raise await self.explained(name, refused) from None
        if repository.number is not None:
            same = owner_of(repository.name) == owner_of(name)
            seen = Identity(
                name, repository.number, repository.owner_number if same else None, repository.name
            )
            if not self._names().allows((await self.admit(seen, door="answer")).casefold()):
                raise NotAllowed(f"Jobs of {quoted(name)} are not run here.")
        return repository

    async def explained(self, name: str, refused: Refused) -> Exception:
        """What to raise where GitHub refuses: `NotAllowed` where it has no repository of a pinned number."""
        identity = await self.known(name)
        if identity is None or refused.status not in (404, "not_installed"):
            return refused
        note = f"GitHub shows Errand no repository of number {identity.number} any more"
        log.warning(
            "repository.missing",
            repository=name,
            number=identity.number,
            why=note,
            accept=f"{COMMAND} {name}",
        )
        return NotAllowed(
            f"GitHub does not show Errand the repository of {quoted(name)} any more, so nothing of it is run."
            " Whoever runs Errand finds more in its log."
        )

    async def listing(self) -> Sequence[RepositoryPin]:
        """All pins by name."""
        return await self._store.read(pins.listing)

    async def forget(self, name: str, *, by: str) -> bool:
        """Let a name be free for the next number that comes under it; False where none is pinned to it."""
        key = name.casefold()

        def drop(session: Session) -> bool:
            gone = pins.forget(session, key)
            if gone:
                entry = of_admin(EntryKind.PIN_DROPPED, by, f"repository:{key}", self._clock())
                journal.record(session, [entry])
                repository_files.want_named(session, key, now=self._clock())
            return gone

        done = await self._store.write(drop)
        self._admitted.clear()
        self._numbers.clear()
        if done:
            log.info("repository.forgotten", repository=key, by=by)
        return done

    def _names(self) -> _Written:
        """What is written today; what was decided by another file is decided again."""
        registry = self._registry
        if self._written is None or self._written.catalog is not registry.catalog:
            self._written = _written(registry)
            self._admitted.clear()
        return self._written

    def _settle(self, session: Session, seen: Identity, written: _Written) -> PinVerdict:
        """Store what follows; another bot may have been faster."""
        rows, now = _around(session, seen), self._clock()
        verdict = decide(seen, rows, written)
        for name in verdict.pins:
            if not pins.add(session, name, seen.number, current=seen.shown, now=now):
                return decide(seen, _around(session, seen), written)
            for row in rows:
                if "/" in row.name and row.number == seen.number and not written.names(row.name):
                    pins.take_history(session, row.name, self._registry.catalog.spelling(seen.name))
        if verdict.pins and seen.owner_number is not None:
            pins.add(session, seen.owner, seen.owner_number, current=seen.owner, now=now)
        if verdict.changes:
            pins.rename(session, seen.number, seen.shown)
        return verdict

    async def _refuse(self, seen: Identity, rivals: Sequence[RepositoryPin]) -> Stranger:
        """Note it, and tell the operator once of each number that comes."""
        numbers = {pin.name: seen.number if "/" in pin.name else seen.owner_number for pin in rivals}
        new = {pin.name: numbers[pin.name] for pin in rivals if pin.rival != numbers[pin.name]}
        first = rivals[0]
        accept = f"{COMMAND} {first.name}"
        note = (
            f"{first.name} had the number {first.number} when it was first seen and now has"
            f" {numbers[first.name]}: somebody else took the name. To let that one in: {accept}"
        )
        if new:
            await self._store.write(lambda s: pins.note_rivals(s, new))
            log.warning(
                "repository.taken", repository=seen.shown, number=seen.number, why=note, accept=accept
            )
        return Stranger(seen.name, note)

    def _tell(self, seen: Identity, verdict: PinVerdict) -> None:
        if verdict.pins:
            log.info("repository.pinned", repository=seen.name, number=seen.number)
        renamed = verdict.name.casefold() != seen.shown.casefold()
        if renamed and any(pin.name == verdict.name.casefold() for pin in verdict.stale):
            line = f"write {seen.shown} for {self._registry.catalog.spelling(verdict.name)} in app.yaml"
            log.warning(
                "repository.renamed",
                repository=verdict.name,
                current=seen.shown,
                number=seen.number,
                why=line,
            )


def _around(session: Session, seen: Identity) -> list[RepositoryPin]:
    numbers = [number for number in (seen.number, seen.owner_number) if number is not None]
    return pins.around(session, names=(seen.key, seen.owner), numbers=numbers)


def _written(registry: Registry) -> _Written:
    github, catalog = registry.config.github, registry.catalog
    # Not of the catalog: what a repository says of itself in its own file keeps it in nowhere.
    images = [image.repository for image in registry.config.images.values() if image.repository]
    listed = [] if github is None else github.repositories
    rules = {registry.rules.of(job) for job in catalog.jobs.values() if job.allow}
    ruled = [each.repository for rule in rules for each in rule.workflows]
    every = {name.casefold() for name in (*images, *listed, *ruled)}
    patterns = frozenset(name for name in every if "*" in name)
    return _Written(catalog, frozenset(every - patterns), tuple(sorted(patterns)))


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > MOST:
        kept.popitem(last=False)


class CodeHost:
    """GitHub, where this installation has it; about a repository it is asked by the number."""

    def __init__(self, github: GitHub | None, repositories: Repositories) -> None:
        self.github = github
        """None where GitHub is not configured."""
        self.repositories = repositories

    @property
    def required(self) -> GitHub:
        """GitHub; `AskerError` where this installation has none, so nobody's rights can be known."""
        if self.github is None:
            raise AskerError("GitHub is not configured here, so nobody can be allowed anything.")
        return self.github

    async def about(self, repository: str) -> Repository:
        """What GitHub says of a repository by the name that it has here; `AskerError` where it is another."""
        return await self.repositories.about(self.required, repository)
