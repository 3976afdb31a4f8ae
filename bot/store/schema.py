"""The schema's version: compared at every start, migrated when it is behind.

One that is ahead is used as it is, where all that this release uses is still there: while bots are updated
one after the other, those of the release before may start again. What is taken away is of use to no release
since the one that its migration names (`unused_since`), and `schema_floor` holds the newest of those.
"""

import re
from collections.abc import Sequence
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Column, Connection, Engine, String, Table, delete, insert, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

from bot.errors import Refused

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

HEAD = "0034"
"""The newest migration. A test keeps it true; comparing it saves Alembic's import at every start."""

RELEASE = installed_version("errand")
"""This release, such as `0.2.0`."""

FLOOR = Table("schema_floor", SQLModel.metadata, Column("version", String, primary_key=True))
"""At most one row: the oldest release that can use the schema; none where every release since 0.1 can."""

_ALONE = 0x4552_5241_4E45
"""PostgreSQL's advisory lock of a bot that must be the only one."""

_ADVISORY_LOCK = 0x4552_5241_4E44
"""PostgreSQL's advisory lock under which one bot migrates while others wait: `ERRAND` in ASCII."""


log = structlog.get_logger()


def only_one(engine: Engine) -> Connection:
    """Hold PostgreSQL's lock for a bot that must be alone, for as long as the connection that this gives.

    Raises `Refused` when another session holds it.
    """
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ALONE}):
        connection.close()
        raise Refused(
            "Another Errand already uses this database. Jobs of the process and of the container engine can"
            " only be found again on its own machine, so stop it first.",
            status="DatabaseInUse",
        )
    return connection


def version(connection: Connection) -> str | None:
    """The migration that the database is at, None when it is empty."""
    try:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except (OperationalError, ProgrammingError) as error:
        connection.rollback()
        if "alembic_version" not in str(error.orig):
            raise
        return None
    return None if found is None else str(found)


def ping(session: Session) -> None:
    """The cheapest question there is."""
    session.execute(text("SELECT 1"))


def is_current(connection: Connection) -> bool:
    """Whether nothing has to be migrated; raises `Refused` when the database is too new for this code."""
    found = version(connection)
    if found is None or found <= HEAD:
        return found == HEAD
    if not _has_all(connection):
        raise Refused(
            f"The database was written by a newer Errand (its schema is {found}, this version knows {HEAD}),"
            " which took away what this version uses. Start that version again, or restore a backup.",
            status="DatabaseNewer",
        )
    log.warning("schema.newer", schema=found, known=HEAD)
    return True


def _has_all(connection: Connection) -> bool:
    """Whether a newer schema still has all that this release uses; no where that cannot be told."""
    try:
        floors = connection.scalars(select(FLOOR.c.version)).all()
        return all(_ordered(floor) <= _ordered(RELEASE) for floor in floors)
    except ValueError:
        return False
    except (OperationalError, ProgrammingError) as error:
        connection.rollback()
        if FLOOR.name not in str(error.orig):
            raise
        return False


def _ordered(release: str) -> tuple[int, ...]:
    """A release as what sorts as releases do; ValueError for what is none."""
    if (numbers := re.match(r"\d+(\.\d+)*", release)) is None:
        raise ValueError(f"{release} is no release")
    return tuple(map(int, numbers[0].split(".")))


def unused_since(scripts: "ScriptDirectory") -> Sequence[str]:
    """Since which releases what migrations took away was of no use."""
    modules = [revision.module for revision in scripts.walk_revisions()]
    return [module.unused_since for module in modules if hasattr(module, "unused_since")]


def migrate(connection: Connection) -> None:
    """Bring the schema to `HEAD`, in one transaction; two bots may do so at once."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        command.upgrade(config, "head")
        connection.execute(delete(FLOOR))
        floors = unused_since(ScriptDirectory.from_config(config))
        if floors:
            connection.execute(insert(FLOOR).values(version=max(floors, key=_ordered)))
