"""Placing a job's files below the directory that it runs in, never through a symbolic link out of it.

Each directory on the way is opened from the one above without following links, so nothing that a
checkout (or another job, at the same moment) puts there leads a write elsewhere.
"""

import contextlib
import os

_MODE = 0o444
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def place(root: str, path: str, content: bytes) -> None:
    """Write `content` to `path` below `root`: whole or not at all, in place of what is there.

    Raises OSError where something that is no directory (a link to one is none) is in the way, or a
    directory where the file belongs.
    """
    *above, name = path.strip("/").split("/")
    if not name or any(part in ("", ".", "..") for part in (*above, name)):
        raise OSError(0, "not a path below the working directory")
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in above:
            below = _enter(directory, part)
            os.close(directory)
            directory = below
        _replace(directory, name, content)
    finally:
        os.close(directory)


def _enter(directory: int, name: str) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=directory)
    return os.open(name, _DIRECTORY, dir_fd=directory)


def _replace(directory: int, name: str, content: bytes) -> None:
    made = f".errand-{os.getpid()}"  # of one supervisor at a time; what a killed one left may be in the way
    with contextlib.suppress(FileNotFoundError):
        os.unlink(made, dir_fd=directory)
    file = os.open(made, _NEW, 0o600, dir_fd=directory)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        os.fchmod(file, _MODE)
        os.rename(made, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        os.unlink(made, dir_fd=directory)
        raise
    finally:
        os.close(file)
