"""The files of a report, in a directory that only one run has. A job may make of them what it likes.

So they are never followed elsewhere, never waited for, and never read beyond a bound.
"""

import contextlib
import os
import stat
from collections.abc import Mapping

OUTPUTS, SUMMARY, PROGRESS = "outputs", "summary", "progress"
NAMES = (OUTPUTS, SUMMARY, PROGRESS)
PAYLOAD = "payload"
"""What is given to the job, beside them; nobody reads it again."""

MOST = 64 * 1024
"""Bytes of the outputs and of the summary that count."""
MOST_OF_PROGRESS = 256
"""Bytes at the end of the progress in which its last line is looked for."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def variables(directory: str) -> dict[str, str]:
    """The variables by which a job finds its files, which it sees in `directory`."""
    return {f"ERRAND_{name.upper()}": f"{directory}/{name}" for name in NAMES}


def make(directory: str, *, mode: int = 0o600) -> None:
    """Make the directory with the files, empty, where they are not; blocking."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    for name in NAMES:
        with contextlib.suppress(FileExistsError):
            file = os.open(os.path.join(directory, name), _NEW, 0o600)
            os.fchmod(file, mode)
            os.close(file)


def read(directory: str) -> Mapping[str, bytes]:
    """What the files say, by name, at most a byte more than counts; blocking.

    What is no file says nothing.
    """
    return {name: _read(directory, name, MOST + 1) for name in (OUTPUTS, SUMMARY)} | {
        PROGRESS: progress(directory)
    }


def progress(directory: str) -> bytes:
    """The end of what the progress says; blocking."""
    return _read(directory, PROGRESS, MOST_OF_PROGRESS, end=True)


def _read(directory: str, name: str, most: int, *, end: bool = False) -> bytes:
    try:
        place = os.open(directory, _DIRECTORY)
        try:
            file = os.open(name, _FILE, dir_fd=place)
        finally:
            os.close(place)
    except OSError:  # it is not there, or a link, or a socket
        return b""
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            return b""
        return os.pread(file, most, max(found.st_size - most, 0) if end else 0)
    except OSError:
        return b""
    finally:
        os.close(file)
