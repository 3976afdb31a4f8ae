"""The files of a run's directory that supervisor and engine share.

`status`  a line for every change, the last whole one counts; written only by the holder of the lock
`lock`    locked by the supervisor for its life. A POSIX record lock: its holder can be asked for
          without taking it, and the answer is the pid that a stop is to be sent to
`wake`    a FIFO that the supervisor keeps open. A byte: look again. End of file: supervisor gone
`stop`    exists once somebody asked for a stop
`result`  what a build says of its failure: reason, then message
`report`  a directory with what a job says of itself: files that it writes
"""

import fcntl
import os
import struct
import sys

STATUS, LOCK, WAKE, STOP, RESULT, REPORT = "status", "lock", "wake", "stop", "result", "report"

LOG_GREW, STATUS_CHANGED = b".", b"!"
"""The bytes that wake."""

STARTING, RUNNING, FINISHED = "starting", "running", "finished"

Status = dict[str, str]
"""`state`; with it `supervisor` (pid), `began`, `boot`; then `pid`, `started_at`; then `result`,
`exit_code`, `reason`, `message`, `finished_at`, `cpu` (the supervisor's own, seconds). What is not
known is missing."""

_FLOCK, _PID = ("qqihh", 2) if sys.platform == "darwin" else ("hhqqi0q", 4)
_QUERY = (
    struct.pack(_FLOCK, 0, 0, 0, fcntl.F_WRLCK, os.SEEK_SET)
    if sys.platform == "darwin"
    else struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
)
"""`struct flock` of fcntl(2), asking about the whole file."""

_LARGEST = 64 * 1024


def read_status(directory: str) -> Status | None:
    """Give all that the status file says; None if no supervisor began."""
    try:
        with open(os.path.join(directory, STATUS), "rb") as file:
            text = file.read(_LARGEST).decode(errors="replace")
    except FileNotFoundError:
        return None
    status: Status = {}
    for line in text.splitlines(keepends=True):
        if line.endswith("\n") and line.startswith("state="):
            for item in line[:-1].split("\t"):
                name, _, value = item.partition("=")
                status[name] = value
    return status or None


def lock_holder(directory: str) -> int | None:
    """Give the pid of the supervisor that is alive, if one is."""
    try:
        file = os.open(os.path.join(directory, LOCK), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        kind, *rest = struct.unpack(_FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, _QUERY))
    finally:
        os.close(file)
    if sys.platform == "darwin":
        return rest[1] if rest[2] != fcntl.F_UNLCK else None
    return rest[3] if kind != fcntl.F_UNLCK else None


def open_lock(directory: str) -> int:
    """Open the lock without taking it."""
    return os.open(os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def take_lock(file: int) -> bool:
    """Lock the run for the life of this process; False if another one lives."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


class StatusWriter:
    """Appends to a status file, which is begun anew unless `again`."""

    def __init__(self, directory: str, *, again: bool = False) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | (0 if again else os.O_TRUNC)
        self._file = os.open(os.path.join(directory, STATUS), flags, 0o600)
        self._directory = directory

    def write(self, state: str, *, durable: bool, **values: object) -> None:
        """Append one line; with `durable` it and the file's name are on the disk afterwards."""
        items = [f"{name}={_word(value)}" for name, value in values.items() if value is not None]
        # The first line break ends what a full disk may have left of the line before.
        line = "\n" + "\t".join([f"state={state}", *items]) + "\n"
        os.write(self._file, line.encode("utf-8", "replace"))
        if durable:
            os.fsync(self._file)
            if state == STARTING:
                sync_directory(self._directory)


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _word(value: object) -> str:
    return " ".join(str(value).split())[:2000]
