"""How the command line finds the Errand of this directory, and nobody else does.

`errand serve` makes a token for as long as it runs and writes it, with its address, into a file beside its
database that only its own user may read. The token is nowhere else than there and in the memory of the
service, so it dies with it: of a service that was killed a file stays that opens nothing.
"""

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

SUFFIX = ".door"
"""Of the file's name, after that of the database."""
_LIMIT = 4096
"""Bytes of such a file."""
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Door:
    """Where an Errand listens on this machine, the address it is known by, and the token."""

    address: str
    url: str
    token: str


@contextmanager
def standing(database: str, door: Door) -> Iterator[None]:
    """Keep the file beside `database` while this lasts; a database that is no file has none.

    A directory that cannot be written to is no reason not to serve: then ERRAND_TOKEN is needed.
    """
    path = _beside(database)
    if path is None:
        yield
        return
    with suppress(OSError):
        _write(path, door)
    try:
        yield
    finally:
        with suppress(OSError, ValueError, RecursionError):
            if _read(path) == door:  # another one may have come since
                path.unlink()


def doors(directory: Path) -> list[Door]:
    """Those of services whose databases are in `directory`; files that others could have made are none."""
    services = []
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        with suppress(OSError, ValueError, RecursionError):
            services.append(_read(path))
    return services


def _beside(database: str) -> Path | None:
    if not database.startswith(_SQLITE):
        return None
    path = Path(database.removeprefix(_SQLITE).partition("?")[0]).absolute()
    return path.with_name(path.name + SUFFIX)


def _write(path: Path, door: Door) -> None:
    """Made under another name, so that nobody reads half of it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(door), file)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _read(path: Path) -> Door:
    """The door in a file of this user's that nobody else may read; `OSError` or `ValueError` otherwise."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o077:
            raise ValueError("somebody else may have written or read it")
        content = json.loads(file.read(_LIMIT))
    match content:
        case {"address": str(address), "url": str(url), "token": str(token)}:
            return Door(address, url, token)
    raise ValueError("it is no door")
