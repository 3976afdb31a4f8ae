"""Files of repositories: wanted, read by one bot at a time, and what is in force of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store import job_names, versions
from bot.store.claims import Claim
from bot.store.columns import REPOSITORY_FILE, table_of
from bot.store.leases import LeaseLost
from bot.store.wakeups import wake
from bot.tables import JobVersion, RepositoryFile

SOURCE = "repository"
"""The source of the versions of jobs that repositories define."""

_CLAIM = Claim(RepositoryFile, [REPOSITORY_FILE.wanted > REPOSITORY_FILE.read])
_QUIET = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Which file is to be read, and who pushed `commit`, if that is why."""

    number: int
    repository: str
    pusher: str | None = None
    commit: str | None = None


def want(session: Session, request: ReadRequest, *, now: float) -> None:
    """Have the file of a repository read, again if it is being read."""
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    pushed = {} if request.pusher is None else {"pusher": request.pusher, "pushed": request.commit}
    row = RepositoryFile(repository_number=request.number, repository=request.repository, due_at=now)
    again = {
        "wanted": REPOSITORY_FILE.wanted + 1,
        "repository": request.repository,
        "due_at": now,
        "attempts": 0,
        **pushed,
    }
    new = make(table_of(RepositoryFile)).values({**row.model_dump(exclude={"id"}), **pushed})
    session.execute(new.on_conflict_do_update(index_elements=["repository_number"], set_=again))
    wake(session, "repositories")


def images(session: Session) -> dict[int, dict[str, Any]]:
    """The images that repositories define, by the number of the repository and their names."""
    columns = (REPOSITORY_FILE.repository_number, REPOSITORY_FILE.images)
    return {number: found for number, found in session.execute(select(*columns)) if found}


def want_named(session: Session, name: str, *, now: float) -> None:
    """Have the file read of the repository that has this name here (in small letters), if one has."""
    mine = update(RepositoryFile).where(func.lower(REPOSITORY_FILE.repository) == name)
    session.execute(mine.values(wanted=REPOSITORY_FILE.wanted + 1, due_at=now).execution_options(**_QUIET))
    wake(session, "repositories")


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[RepositoryFile]:
    """Take up to `limit` files that are to be read, for `lease` seconds."""
    return _CLAIM.take(session, owner=owner, span=(now, lease), limit=limit)


def rows(session: Session) -> Sequence[RepositoryFile]:
    """All of them, by the names of their repositories."""
    return session.scalars(select(RepositoryFile).order_by(REPOSITORY_FILE.repository)).all()


def names(session: Session) -> Sequence[str]:
    """The names of the repositories that have one, as they are known here."""
    return session.scalars(select(REPOSITORY_FILE.repository)).all()


def of_number(session: Session, number: int) -> RepositoryFile | None:
    """That of one repository."""
    return session.scalar(select(RepositoryFile).where(REPOSITORY_FILE.repository_number == number))


def settle(session: Session, row: RepositoryFile, *, owner: str, **values: Any) -> None:
    """The end of a reading that `owner` holds: what was wanted when it began is read. `LeaseLost`."""
    _change(session, row, owner, read=row.wanted, attempts=0, lease_owner=None, lease_until=0.0, **values)
    wake(session, "repositories")


def retry(session: Session, row: RepositoryFile, *, owner: str, due_at: float) -> None:
    """Let a file that `owner` holds be claimed again from `due_at` on; `LeaseLost`."""
    _change(session, row, owner, due_at=due_at, lease_owner=None, lease_until=0.0)
    wake(session, "repositories")


def _change(session: Session, row: RepositoryFile, owner: str, **values: Any) -> None:
    mine = (REPOSITORY_FILE.id == row.identity, REPOSITORY_FILE.lease_owner == owner)
    changed = update(RepositoryFile).where(*mine).values(**values).returning(REPOSITORY_FILE.id)
    if session.execute(changed.execution_options(**_QUIET)).first() is None:
        raise LeaseLost(f"the file of {row.repository} is not held by {owner}")


# What is in force ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InForce:
    """What a repository defines from now on: jobs as they are stored, and where they stand in the file.

    `before` are the names of those that it defined until now.
    """

    number: int
    repository: str
    commit: str
    jobs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    images: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    before: Collection[str] = ()


class NameTaken(Exception):
    """A job has the name of one that is another's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def install(session: Session, new: InForce, *, actor: str, now: float) -> list[str]:
    """Make these the jobs of the repository; gives the names of those that changed, `-NAME` if gone.

    `versions.hold` has to be called before. Raises `NameTaken`.
    """
    newest = versions.newest(session, {*new.jobs, *new.before})
    changed = []
    for name, definition in new.jobs.items():
        last = newest.get(name)
        if last is not None and not is_of(last, new.number):
            if job_names.why_taken(session, last) is not None:
                raise NameTaken(name)
            job_names.forget_all(session, name)
        origin = {
            "repository": new.repository,
            "number": new.number,
            "commit": new.commit,
            "line": new.lines.get(name, 1),
        }
        if versions.add(session, name, definition, source=SOURCE, actor=actor, now=now, origin=origin)[1]:
            changed.append(name)
    mine = [name for name in new.before if name in newest and is_of(newest[name], new.number)]
    gone = [name for name in mine if name not in new.jobs and not newest[name].deleted]
    for name in gone:
        versions.end(session, name, source=SOURCE, actor=actor, now=now)
    return [*changed, *(f"-{name}" for name in gone)]


def is_of(row: JobVersion, number: int) -> bool:
    """Whether the repository of this number defines the job, or did when it ended."""
    return (row.source, versions.owner(row)) == (SOURCE, number)


def put_images(session: Session, row: RepositoryFile, images: Mapping[str, Any]) -> None:
    """Make these the images of the repository."""
    current = session.get(RepositoryFile, row.identity)
    if current is not None and current.images != images:
        current.images, current.revision = dict(images), current.revision + 1
        session.flush()
        wake(session, "jobs")


def narrow(session: Session, row: RepositoryFile, found: InForce, *, now: float) -> list[str]:
    """Let no more be in force of a file than `found`, by a newer file of the server; gives what changed.

    The file is read again soon, since more may be allowed than before.
    """
    current = session.get(RepositoryFile, row.identity)
    if current is None or current.commit != row.commit:
        return []  # another bot has read a newer one
    current.wanted += 1
    current.due_at, current.attempts = now, 0
    put_images(session, row, found.images)
    wake(session, "repositories")
    jobs = dict(found.jobs)
    while True:
        try:
            return install(session, replace(found, jobs=jobs), actor="file", now=now)
        except NameTaken as taken:  # by the server's file, a moment ago
            del jobs[taken.name]
