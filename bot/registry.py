"""The living catalog: the jobs of the file and those of the API, as they are today, with their versions.

The database is the truth. What a bot changes it sees at once; what another one changed, as soon as that
tells it. Of two bots with different files the one that read its file last has written the jobs.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakSet

import structlog

from bot.access.rules import People
from bot.access.workflow_index import WorkflowIndex
from bot.access.workflows import Workflow
from bot.catalog.catalog import Catalog, Job
from bot.catalog.images import Image
from bot.config import FILE, Config, Owner, RepositoryDefinitions, narrowed
from bot.errors import AskerError, ProblemType, Unmet
from bot.store import Session, Store, history, job_names, repository_files, versions
from bot.tables import JobVersion, RepositoryFile

log = structlog.get_logger()

FIXED = (
    "url",
    "command",
    "proxies",
    "database",
    "logs",
    "log",
    "deliveries",
    "limits",
    "github",
    "slack",
    "engine",
)
"""Sections of the file that only a new start takes up."""
TAKEN = ("jobs", "images", "sizes", "people", "repository_jobs")
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
        return place_of(self.row)

    @property
    def is_fixed(self) -> bool:
        """Whether it is defined in a file, the server's or a repository's, which alone changes it."""
        return self.row.source != "api"


class Conflict(AskerError):
    """The job is not to be changed here or now; the sentence says why."""

    problem = ProblemType.JOB_CONFLICT


Expected = Callable[[int | None], bool]
"""Given the version that holds (None where there is no such job): whether it may be changed."""


@dataclass(frozen=True, slots=True)
class _Today:
    config: Config
    entries: Mapping[str, Entry] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=Catalog)
    removed: Mapping[str, JobVersion] = field(default_factory=dict)
    mark: int = -1
    people: People = field(default_factory=People)


class Registry:
    """Asked by everybody for today's jobs; `config` is the file as it holds now."""

    def __init__(self, config: Config, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        # One reference that is replaced as a whole: the writer's thread reads it, too.
        self._today = _Today(
            config, catalog=Catalog(config.jobs, config.images), people=People(config.people)
        )
        self._index: tuple[_Today, WorkflowIndex] | None = None
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
    def people(self) -> People:
        """The sets of `people`, with the rules that were made of them."""
        return self._today.people

    def started_by(self, workflow: Workflow) -> frozenset[str]:
        """The jobs of today that a workflow of GitHub Actions may start."""
        today = self._today
        if self._index is None or self._index[0] is not today:
            rules = (
                (name, today.people.rule(job.allow, job.deny)) for name, job in today.catalog.jobs.items()
            )
            self._index = today, WorkflowIndex(rules)
        return self._index[1].jobs(workflow)

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

    def entries(self) -> list[Entry]:
        """All jobs of today by name."""
        return [entry for _, entry in sorted(self._today.entries.items())]

    def version(self, job: Job) -> int | None:
        """The version that `job` is, if it is today's."""
        entry = self._today.entries.get(job.name)
        return entry.row.version if entry is not None and entry.job == job else None

    def watch(self) -> asyncio.Event:
        """An event of the caller's own, set at every change; it is forgotten with the caller's reference."""
        event = asyncio.Event()
        self._watchers.add(event)
        return event

    async def apply(self, config: Config) -> list[str]:
        """Write the jobs of the file as versions; gives the names of those that changed, `-NAME` if gone."""

        stored = await self._store.read(repository_files.rows)
        fits = await asyncio.to_thread(_today, stored, config)

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
            held = config or self._today.config
            entries = dict(self._entries(held, rows))
            jobs = {name: entry.job for name, entry in entries.items()}
            removed = {name: row for name, row in rows.items() if row.deleted}
            same = held.people == self._today.people.sets
            people = self._today.people if same else People(held.people)
            images = {**_images(stored), **held.images}
            self._today = _Today(held, entries, Catalog(jobs, images), removed, mark, people)
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


def _today(
    stored: Sequence[RepositoryFile], config: Config
) -> list[tuple[RepositoryFile, repository_files.InForce]]:
    """What of the files of repositories holds by this configuration, which may let them say less by now."""

    def taken(section: str, name: str) -> str | None:
        mine: Collection[str] = config.jobs if section == "jobs" else config.images
        return f"{name} is in the server's file" if name in mine else None

    fits = []
    for row in stored:
        rules, found = config.repository_rules(row.repository), RepositoryDefinitions()
        gone: Sequence[str] = ()
        if rules is not None and row.commit is not None:
            found, gone = narrowed(row.written, Owner(row.repository, rules, row.prefix), config, taken)
            found = replace(found, lines=row.lines)
        if gone:
            log.warning("repository.narrowed", repository=row.repository, jobs=gone)
        fits.append((row, in_force(row.repository_number, row.repository, row.commit or "", found)))
    return fits


def _images(stored: Iterable[Mapping[str, Any]]) -> dict[str, Image]:
    """Images that repositories define; one of another version of Errand is left out."""
    found = {}
    for name, definition in (item for images in stored for item in images.items()):
        try:
            found[name] = Image.model_validate(definition)
        except ValueError:
            log.error("image.unreadable", image=name)
    return found


def in_force(
    number: int, repository: str, commit: str, found: RepositoryDefinitions
) -> repository_files.InForce:
    """What a repository defines, as it is stored."""
    return repository_files.InForce(
        number,
        repository,
        commit,
        {name: job.model_dump(mode="json") for name, job in found.jobs.items()},
        {name: image.model_dump(mode="json", exclude_defaults=True) for name, image in found.images.items()},
        found.lines,
    )


def place_of(row: JobVersion) -> str:
    """Where a job is defined, in words."""
    repository = (row.origin or {}).get("repository")
    if repository is not None:
        return f"{FILE} of {repository}"
    return "the API" if row.source == "api" else "the configuration file"


def _check(last: JobVersion | None, name: str, expected: Expected) -> None:
    held = None if last is None or last.deleted else last
    if held is not None and held.source != "api":
        raise Conflict(f"{name} is defined in {place_of(held)}, which is the place to change it.")
    if not expected(None if held is None else held.version):
        now = "there is no such job" if held is None else f"its version is {held.version}"
        raise Unmet(f"{name} is not what you expect: {now}.")


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


def renewed(held: Config, new: Config) -> tuple[Config, list[str]]:
    """`held` with what `new` says of jobs and people, and the names of what only a new start changes."""
    kept = [name for name in FIXED if _settled(held, name) != _settled(new, name)]
    update: dict[str, Any] = {name: getattr(new, name) for name in TAKEN}
    if held.github is not None and new.github is not None and "repositories" not in _written(new, "github"):
        update["github"] = held.github.model_copy(update={"repositories": new.github.repositories})
    config = held.model_copy(update=update)
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
