"""A job's memory: the limit that its processes get, and whether it was what ended them.

The limit is RLIMIT_DATA (setrlimit(2)) of every process: its own data, not what it shares or maps from
files. The system says no to a process that asks for more, and tells nobody else. So whether that was
the cause of a failure has to be guessed: from what the job said, and from the most that it had.
"""

import resource

_WORDS = (
    b"MemoryError",
    b"Cannot allocate memory",
    b"cannot allocate memory",
    b"bad_alloc",
    b"out of memory",
    b"Out of memory",
    b"OutOfMemory",
    b"memory exhausted",
    b"Killed (out of memory)",
)
"""How programs say that they got no memory."""

_LONGEST = max(len(word) for word in _WORDS)
_NEARLY = 0.9
"""The part of its limit from which a process had nearly all of it."""

_LIMIT = b'ulimit -d "$1" && shift && exec "$@"'


def limited(command: list[bytes], limit: int) -> list[bytes]:
    """Give the command that runs `command` with at most `limit` bytes, which it cannot raise again."""
    allowed = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if allowed != resource.RLIM_INFINITY:
        limit = min(limit, allowed)
    return [b"/bin/sh", b"-c", _LIMIT, b"memory", b"%d" % (limit // 1024), *command]


class MemoryWatch:
    """Looks at the output of a job with a limit of `limit` bytes for signs that it ran into that."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._end = b""
        self._has_hint = False

    def look(self, data: bytes) -> None:
        """See the next piece of output."""
        if self._has_hint or not self._limit:
            return
        seen = self._end + data
        self._has_hint = any(word in seen for word in _WORDS)
        self._end = seen[-_LONGEST:]

    def reason(self) -> tuple[str | None, str | None]:
        """Reason and sentence for a job that failed and whose processes have ended; nothing if unlikely."""
        if not self._limit or not (self._has_hint or self._full()):
            return None, None
        return "OutOfMemory", f"Its memory limit of {_size(self._limit)} is the likely cause."

    def _full(self) -> bool:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # KiB on Linux
        # A new process counts what its parent had until it becomes the job's program.
        return most > 2 * own and most * 1024 >= _NEARLY * self._limit


def _size(limit: int) -> str:
    return f"{limit / 2**20:.0f} MiB" if limit < 2**30 else f"{limit / 2**30:.1f} GiB"
