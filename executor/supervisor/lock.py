"""Locks on files that may be deleted by their holder: a tree in use, a mirror that is being fetched.

They are flock(2) locks, which go with the open file: whoever dies lets go.
"""

import fcntl
import os


def shared(path: str) -> int | None:
    """Lock `path` together with others; None if it is not there or held alone. Closing lets go."""
    try:
        return _locked(path, os.O_RDONLY, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None


def together(path: str) -> int:
    """Lock `path` together with others, made if need be, once nobody holds it alone. Closing lets go."""
    descriptor = _locked(path, os.O_RDONLY | os.O_CREAT, fcntl.LOCK_SH)
    assert descriptor is not None  # noqa: S101 - only who does not wait gets nothing
    return descriptor


def alone(path: str, *, wait: bool) -> int | None:
    """Lock `path` alone, made if need be; None if it is held and `wait` is not asked for."""
    return _locked(path, os.O_RDWR | os.O_CREAT, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))


def _locked(path: str, flags: int, operation: int) -> int | None:
    while True:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, operation)
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except FileNotFoundError:  # deleted while waiting for it: lock its successor
            pass
        os.close(file)
