"""Databases with today's schema: made once a process and copied, since most tests are not of migrations."""

import functools
import tempfile
from pathlib import Path

from bot.store import schema
from bot.store.databases import Database


def sqlite(file: Path) -> str:
    """Make one at `file`; gives its url."""
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


def migrate(url: str) -> None:
    """Give an empty database its schema."""
    database = Database.at(url)
    with database.writer.connect() as connection:
        schema.migrate(connection)
    database.close()


@functools.cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "errand.db"
        migrate(f"sqlite:///{file}")
        return file.read_bytes()
