"""The living catalog: the jobs of the file and those of the API, as they are today, with their versions.

The database is the truth. What a bot changes it sees at once; what another one changed, as soon as that
tells it. Of two bots with different files the one that read its file last has written the jobs.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import structlog

from bot import repository_jobs
from bot.access.rules import People
from bot.catalog.catalog import Catalog, Job
from bot.catalog.images import Image, direct_image
from bot.catalog.rule_book import RuleBook
from bot.config import Config, Owner, Taken
from bot.errors import AskerError, ProblemType, Unmet
from bot.messages.repository_files import Defined
from bot.repository_jobs import Origin
from bot.store import Session, Store, history, job_names, journal, repository_files, versions
from bot.store.journal_entries import config_changed
from bot.store.repository_files import SOURCE, is_of
from bot.tables import JobVersion

log = structlog.get_logger()

FIXED = (
    "url",
    "command",
    "proxies",
    "database",
    "logs",
    "log",
    "deliveries",
    "audit",
    "limits",
    "github",
    "slack",
    "engine",
)
"""Sections of the file that only a new start takes up."""
TAKEN = ("jobs", "images", "sizes", "people", "freeze", "override", "repository_jobs", "api")
"""Those that hold at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as it is now: its definition and the newest of its versions."""

    job: Job
    row: JobVersion

    @property
    def from_file(self) -> bool:
        """Whether the file defines it, so that only the file can change it."""
        return self.row.source == "file"

    @property
    def place(self) -> str:
        """Where it is defined, in words."""
        return repository_jobs.place_of(self.row)

    @property
    def is_fixed(self) -> bool:
        """Whether it is defined in a file, the server's or a repository's, which alone changes it."""
        return self.row.source != "api"


class Conflict(AskerError):
    """The job is not to be changed here or now; the sentence says why."""

    problem = ProblemType.JOB_CONFLICT


_WHOSE = {"file": "the server's file", "api": "the API", SOURCE: "another repository"}
"""What a repository is told of a name, by its source: which other one has it may be nobody's business."""

Expected = Callable[[int | None], bool]
"""Given the version that holds (None where there is no such job): whether it may be changed."""


@dataclass(frozen=True, slots=True)
class _Today:
    config: Config
    entries: Mapping[str, Entry] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    removed: Mapping[str, JobVersion] = field(default_factory=dict)
    mark: int = -1
    rules: RuleBook = field(default_factory=lambda: RuleBook(People(), {}))
    owners: Mapping[str, int] = field(default_factory=dict)
    """Of which repository an image is, by its number, for those that repositories define."""


class Registry:
    """Asked by everybody for today's jobs; `config` is the file as it holds now."""

    def __init__(self, config: Config, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        # One reference that is replaced as a whole: the writer's thread reads it, too.
        rules = RuleBook(People(config.people), config.jobs)
        self._today = _Today(config, catalog=Catalog(config.jobs, config.images), rules=rules)
        self._turning = asyncio.Lock()
        self._watchers: WeakSet[asyncio.Event] = WeakSet()
        self.descriptions: Mapping[str, str] = _Descriptions(self)

    @classmethod
    async def open(cls, config: Config, store: Store, clock: Callable[[], float]) -> "Registry":
        """The registry, with the jobs of the file written into it."""
        registry = cls(config, store, clock)
        await registry.apply(config)
        return registry

    @property
    def config(self) -> Config:
        """The configuration that holds."""
        return self._today.config

    @property
    def catalog(self) -> Catalog:
        """Today's jobs and images."""
        return self._today.catalog

    @property
    def rules(self) -> RuleBook:
        """Who may run today's jobs."""
        return self._today.rules

    @property
    def removed(self) -> Collection[str]:
        """The jobs that there were and are no more, by name."""
        return self._today.removed

    @property
    def mark(self) -> int | None:
        """Which state of the database's jobs `catalog` is; None before they were read."""
        return None if self._today.mark < 0 else self._today.mark

    def entry(self, name: str) -> Entry | None:
        """The job called `name` with its version; None where there is none today."""
        return self._today.entries.get(name)

    def origin(self, entry: Entry) -> Origin | None:
        """Where in a repository the job is defined; None for any other."""
        return repository_jobs.origin_of(entry.row, self.config)

    def entries(self) -> list[Entry]:
        """All jobs of today by name."""
        return [entry for _, entry in sorted(self._today.entries.items())]

    def version(self, job: Job) -> int | None:
        """The version that `job` is, if it is today's."""
        entry = self._today.entries.get(job.name)
        return entry.row.version if entry is not None and entry.job == job else None

    def defined_by(self, number: int) -> Defined:
        """What the repository of this number defines today."""
        owned = [each for each in self.entries() if is_of(each.row, number)]
        images = {name for name, owner in self._today.owners.items() if owner == number}
        shown = {name: image for name, image in self.catalog.images.items() if name in images}
        return Defined({each.job.name: each.job for each in owned}, shown)

    async def free_for(self, number: int, owner: Owner) -> Taken:
        """Says of a name that a repository would use why it is not free for it."""
        today, start = self._today, f"{owner.prefix}-"
        others = {
            name: f"{name} is a job of {_WHOSE[entry.row.source]} already"
            for name, entry in today.entries.items()
            if not is_of(entry.row, number)
        }
        before = [
            name for name, row in today.removed.items() if name.startswith(start) and not is_of(row, number)
        ]
        kept = await self._store.read(lambda s: history.kept(s, before))
        others |= {name: f"the history of another job that was called {name} is kept" for name in kept}
        images = {
            name: f"there is an image {name} already"
            for name in today.catalog.images
            if today.owners.get(name) != number
        }
        names = {"jobs": others, "images": images}
        return lambda section, name: names[section].get(name)

    def watch(self) -> asyncio.Event:
        """An event of the caller's own, set at every change; it is forgotten with the caller's reference."""
        event = asyncio.Event()
        self._watchers.add(event)
        return event

    async def apply(self, config: Config) -> list[str]:
        """Write the jobs of the file as versions; gives the names of those that changed, `-NAME` if gone."""

        stored = await self._store.read(repository_files.rows)
        fits = await asyncio.to_thread(repository_jobs.held_today, stored, config)

        def write(session: Session) -> list[str]:
            versions.hold(session)
            now, changed = self._clock(), []
            rows = versions.newest(session)
            for name, job in config.jobs.items():
                content = job.model_dump(mode="json")
                if versions.add(session, name, content, source="file", actor="file", now=now)[1]:
                    changed.append(name)
            for name, row in rows.items():
                gone = row.source == "file" and not row.deleted and name not in config.jobs
                if gone and versions.end(session, name, source="file", actor="file", now=now):
                    changed.append(f"-{name}")
            for file, found in fits:
                changed += repository_files.narrow(session, file, found, now=now)
            current = self._today.config
            sections: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
                "images": (current.images, config.images),
                "sizes": (current.sizes, config.sizes),
            }
            journal.record(session, config_changed(sections, now))
            return changed

        changed = await self._store.write(write)
        await self._turn(config)
        return changed

    def was_removed(self, name: str) -> bool:
        """Whether somebody deleted the job, with its history; one that the file lost keeps that."""
        row = self._today.removed.get(name)
        return row is not None and row.source == "api"

    async def put(self, job: Job, *, actor: str, expected: Expected) -> tuple[JobVersion, bool]:
        """Make `job` the newest version; gives it and whether that is new. Raises `Conflict`, `Unmet`."""

        def write(session: Session) -> tuple[JobVersion, bool]:
            versions.hold(session)
            last = versions.of(session, job.name)
            _check(last, job.name, expected)
            if last is not None and last.deleted:
                if last.source == "api" and history.has_any(session, job.name):
                    raise Conflict(f"{job.name} was removed and its history still goes; try again soon.")
                job_names.forget_all(session, job.name)  # what the job of before had is not for this one
            content = job.model_dump(mode="json")
            return versions.add(session, job.name, content, source="api", actor=actor, now=self._clock())

        version = await self._store.write(write)
        await self._turn(None)
        return version

    async def remove(self, name: str, *, actor: str, expected: Expected) -> bool:
        """Delete a job that the file does not define and of which no run goes on; False if there is none.

        Also one that the file lost: that keeps its history until somebody does this. Its schedule and its
        hooks are forgotten with it, so that nothing that is being decided starts it still, nor another job
        of its name later. Its runs are for `bot.workers.pruning` to take away. `Conflict`, `Unmet`.
        """

        def write(session: Session) -> bool:
            versions.hold(session)
            last = versions.of(session, name)
            if last is None or (last.deleted and last.source == "api"):
                return False
            _check(last, name, expected)
            if name in self.config.jobs:  # another bot has read a newer file
                raise Conflict(f"{name} is defined in the configuration file of this bot.")
            if history.is_active(session, name):
                raise Conflict(f"A run of {name} goes on or waits; cancel it first.")
            versions.end(session, name, source="api", actor=actor, now=self._clock())
            versions.forget(session, name)
            job_names.forget_all(session, name)
            return True

        removed = await self._store.write(write)
        await self._turn(None)
        return removed

    async def refresh(self) -> None:
        """Look whether a job changed since."""
        if await self._store.read(versions.mark) != self._today.mark:
            await self._turn(None)

    async def _turn(self, config: Config | None) -> None:
        async with self._turning:
            mark, rows, stored = await self._store.read(
                lambda s: (versions.mark(s), versions.newest(s), repository_files.images(s))
            )
            current = config or self._today.config
            entries = dict(self._entries(current, rows))
            jobs = {name: entry.job for name, entry in entries.items()}
            removed = {name: row for name, row in rows.items() if row.deleted}
            people = self._today.rules.people
            rules = RuleBook(people if current.people == people.sets else People(current.people), jobs)
            direct = _direct_images(entries, current)
            images = {**direct, **repository_jobs.images_of(stored.values()), **current.images}
            owners = {name: number for number, some in stored.items() for name in some}
            owners = {name: number for name, number in owners.items() if name not in current.images}
            self._today = _Today(current, entries, Catalog(jobs, images), removed, mark, rules, owners)
        for watcher in list(self._watchers):
            watcher.set()
        self._store.wakeup("ticks").set()  # schedules may have changed

    def _entries(self, config: Config, rows: Mapping[str, JobVersion]) -> Iterator[tuple[str, Entry]]:
        for name, row in rows.items():
            if row.deleted:
                continue
            entry = self._today.entries.get(name)
            if entry is not None and entry.row.id == row.id:
                yield name, entry
                continue
            try:
                job = Job.model_validate(row.definition)
            except ValueError:
                log.error("job.unreadable", job=name, version=row.version)
                continue
            ours = config.jobs.get(name)
            yield name, Entry(ours if ours == job else job, row)


def _check(last: JobVersion | None, name: str, expected: Expected) -> None:
    current = None if last is None or last.deleted else last
    if current is not None and current.source != "api":
        raise Conflict(
            f"{name} is defined in {repository_jobs.place_of(current)}, which is the place to change it."
        )
    if not expected(None if current is None else current.version):
        now = "there is no such job" if current is None else f"its version is {current.version}"
        raise Unmet(f"{name} is not what you expect: {now}.")


def _direct_images(entries: Mapping[str, Entry], config: Config) -> dict[str, Image]:
    """Images that jobs of the API name themselves, of registries that the policy of today lists."""
    found = {}
    for entry in entries.values():
        image = entry.job.image
        if entry.row.source == "api" and image is not None and "/" in image and image not in config.images:
            with suppress(ValueError):
                found[image] = direct_image(image, config.api.registries)
    return found


class _Descriptions(Mapping[str, str]):
    """What each job of today says of itself."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, name: str) -> str:
        return self._registry.catalog.jobs[name].description

    def __iter__(self) -> Iterator[str]:
        return iter(self._registry.catalog.jobs)

    def __len__(self) -> int:
        return len(self._registry.catalog.jobs)


def renewed(old: Config, new: Config) -> tuple[Config, list[str]]:
    """`old` with what `new` says of jobs and people, and the names of what only a new start changes."""
    kept = [name for name in FIXED if _settled(old, name) != _settled(new, name)]
    update: dict[str, Any] = {name: getattr(new, name) for name in TAKEN}
    if old.github is not None and new.github is not None and "repositories" not in _written(new, "github"):
        update["github"] = old.github.model_copy(update={"repositories": new.github.repositories})
    config = old.model_copy(update=update)
    config.take_definitions(new)
    return config, kept


def _settled(config: Config, name: str) -> object:
    """A section; repositories that the images gave are theirs."""
    if name == "github" and config.github is not None and "repositories" not in _written(config, "github"):
        return config.github.model_copy(update={"repositories": ()})
    return getattr(config, name)


def _written(config: Config, name: str) -> Mapping[str, Any]:
    section = config.written.get(name)
    return section if isinstance(section, dict) else {}
