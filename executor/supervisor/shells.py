"""Whether the first process of a job is a shell that waits for what it runs, as `setup` has it."""

import signal

from executor.supervisor import descendants, setup


def waits(pid: int) -> bool:
    """Tell whether the process is a shell that has the preface, and no trap of its own for SIGTERM."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb", buffering=0) as file:
            if setup.PREFACE.encode() not in file.read():
                return False
        with open(f"/proc/{pid}/status", "rb", buffering=0) as file:
            fields = dict(line.split(b":", 1) for line in file.read().splitlines() if b":" in line)
    except OSError:
        return False
    caught, ignored = int(fields[b"SigCgt"], 16), int(fields[b"SigIgn"], 16)
    # A bash with a trap for its exit catches whatever would end it.
    is_trapped = _has(caught, signal.SIGTERM) and not _has(caught, signal.SIGVTALRM)
    return _has(caught, signal.SIGURG) and not is_trapped and not _has(ignored, signal.SIGTERM)


def children(pid: int) -> list[int]:
    """Give the pids of what the process itself started and is still its child."""
    return [one for one, fields in descendants.stats() if int(fields[1]) == pid]


def _has(mask: int, number: int) -> bool:
    return bool(mask >> (number - 1) & 1)
