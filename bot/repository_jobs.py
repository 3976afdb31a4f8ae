"""What is stored of the files of repositories, as the catalog takes it by the server's file of today."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import structlog

from bot.catalog.images import Image
from bot.config import FILE, Config, Owner, RepositoryDefinitions, Taken, narrowed
from bot.config.servers import web_address
from bot.store import repository_files
from bot.tables import JobVersion, RepositoryFile

log = structlog.get_logger()


def held_today(
    stored: Sequence[RepositoryFile], config: Config
) -> list[tuple[RepositoryFile, repository_files.InForce]]:
    """What of the files of repositories holds by this configuration, which may let them say less by now."""

    def taken(section: str, name: str) -> str | None:
        mine: Collection[str] = config.jobs if section == "jobs" else config.images
        return f"{name} is in the server's file" if name in mine else None

    fits = []
    for row in stored:
        try:
            found = _definitions(row, config, taken)
        except Exception:  # what one repository wrote keeps nobody else from being served
            log.exception("repository.unreadable", repository=row.repository)
            found = RepositoryDefinitions()
        fits.append((row, in_force(row, row.repository, row.commit or "", found)))
    return fits


def _definitions(row: RepositoryFile, config: Config, taken: Taken) -> RepositoryDefinitions:
    rules = config.repository_rules(row.repository)
    if rules is None or row.commit is None:
        return RepositoryDefinitions()
    found, gone = narrowed(row.written, Owner(row.repository, rules, row.prefix), config, taken)
    if gone:
        log.warning("repository.narrowed", repository=row.repository, jobs=gone)
    return replace(found, lines=row.lines)


def images_of(stored: Iterable[Mapping[str, Any]]) -> dict[str, Image]:
    """Images that repositories define; one of another version of Errand is left out."""
    found = {}
    for name, definition in (item for images in stored for item in images.items()):
        try:
            found[name] = Image.model_validate(definition)
        except ValueError:
            log.error("image.unreadable", image=name)
    return found


def in_force(
    row: RepositoryFile, repository: str, commit: str, found: RepositoryDefinitions
) -> repository_files.InForce:
    """What the repository of `row` defines from now on, as it is stored."""
    return repository_files.InForce(
        row.repository_number,
        repository,
        commit,
        {name: job.model_dump(mode="json") for name, job in found.jobs.items()},
        {name: image.model_dump(mode="json", exclude_defaults=True) for name, image in found.images.items()},
        found.lines,
        before=tuple(row.lines),
    )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in a repository a job is defined, at the commit by which that came into force."""

    repository: str
    file: str
    commit: str
    line: int
    url: str


def origin_of(row: JobVersion, config: Config) -> Origin | None:
    """Where a job of a repository is defined; None for any other."""
    kept, github = row.origin, config.github
    if kept is None or row.source != repository_files.SOURCE or github is None:
        return None
    repository, commit, line = str(kept["repository"]), str(kept["commit"]), int(kept["line"])
    path = f"{quote(repository, safe='/')}/blob/{quote(commit, safe='')}/{FILE}#L{line}"
    return Origin(repository, FILE, commit, line, f"{web_address(github.api_url)}/{path}")


def place_of(row: JobVersion) -> str:
    """Where a job is defined, in words."""
    repository = (row.origin or {}).get("repository")
    if repository is not None:
        return f"{FILE} of {repository}"
    return "the API" if row.source == "api" else "the configuration file"
