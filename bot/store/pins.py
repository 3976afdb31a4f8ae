"""Names of repositories and of owners with the numbers that are pinned to them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.store.columns import BUILD, PIN, RUN, table_of
from bot.tables import Build, RepositoryPin, Run


def around(session: Session, *, names: Collection[str], numbers: Collection[int]) -> list[RepositoryPin]:
    """The pins of these names (in small letters) and of these numbers."""
    found = or_(PIN.name.in_(names), PIN.number.in_(numbers))
    return list(session.scalars(select(RepositoryPin).where(found).order_by(PIN.pinned_at, PIN.name)))


def find(session: Session, name: str) -> RepositoryPin | None:
    """The pin of a name (in small letters), else that of the one repository that is called so today."""
    called = or_(PIN.name == name, func.lower(PIN.current) == name)
    rows = list(session.scalars(select(RepositoryPin).where(called, PIN.name.like("%/%"))))
    pinned = next((row for row in rows if row.name == name), None)
    if pinned is not None or len({row.number for row in rows}) != 1:
        return pinned
    return rows[0]


def listing(session: Session) -> Sequence[RepositoryPin]:
    """All of them by name."""
    return list(session.scalars(select(RepositoryPin).order_by(PIN.name)))


def add(session: Session, name: str, number: int, *, current: str, now: float) -> bool:
    """Pin a number to a name; False where it has one, which may be another."""
    make: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = {"name": name, "number": number, "current": current, "pinned_at": now}
    insert = make(table_of(RepositoryPin)).values(row).on_conflict_do_nothing()
    return session.scalar(insert.returning(PIN.name)) is not None


def rename(session: Session, number: int, current: str) -> None:
    """The repository of this number is called `current` by now, so no other one is."""
    others = (func.lower(PIN.current) == current.lower(), PIN.number != number)
    called = update(RepositoryPin).where(PIN.name.like("%/%"))
    quiet = {"synchronize_session": False}
    session.execute(called.where(*others).values(current="").execution_options(**quiet))
    session.execute(called.where(PIN.number == number).values(current=current).execution_options(**quiet))


def take_history(session: Session, old: str, new: str) -> None:
    """Runs and builds of the repository `old` (in small letters) are `new`'s from now on."""
    for table, column in ((Run, RUN.repository), (Build, BUILD.repository)):
        mine = update(table).where(func.lower(column) == old).values(repository=new)
        session.execute(mine.execution_options(synchronize_session=False))


def note_rivals(session: Session, numbers: Mapping[str, int | None]) -> None:
    """Note which number came under each of these pinned names without a right to it."""
    for name, number in numbers.items():
        mine = update(RepositoryPin).where(PIN.name == name).values(rival=number)
        session.execute(mine.execution_options(synchronize_session=False))


def forget(session: Session, name: str) -> bool:
    """Let a name (in small letters) be free for the next number; with it the owner's, if that is in doubt."""
    gone = session.execute(delete(RepositoryPin).where(PIN.name == name))
    owner = (PIN.name == name.partition("/")[0], PIN.rival.is_not(None))
    session.execute(delete(RepositoryPin).where(*owner))
    return bool(getattr(gone, "rowcount", 0))
