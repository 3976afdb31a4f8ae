"""The schema's version: compared at every start, migrated when it is behind."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from bot.errors import Refused

HEAD = "0015"
"""The newest migration. A test keeps it true; comparing it saves Alembic's import at every start."""

_ALONE = 0x4552_5241_4E45
"""PostgreSQL's advisory lock of a bot that must be the only one."""

_ADVISORY_LOCK = 0x4552_5241_4E44
"""PostgreSQL's advisory lock under which one bot migrates while others wait: `ERRAND` in ASCII."""


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
    """Whether nothing has to be migrated; raises `Refused` when the database is newer than this code."""
    found = version(connection)
    if found is not None and found > HEAD:
        raise Refused(
            f"The database was written by a newer Errand (its schema is {found}, this version knows {HEAD}). "
            "Start that version again, or restore a backup.",
            status="DatabaseNewer",
        )
    return found == HEAD


def migrate(connection: Connection) -> None:
    """Bring the schema to `HEAD`, in one transaction; two bots may do so at once."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option(
        "script_location", str(Path(__file__).parents[1] / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        command.upgrade(config, "head")
