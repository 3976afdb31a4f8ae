"""Finding and signalling what a job left behind, from inside its supervisor.

On Linux the supervisor is a child subreaper: whatever the job starts stays below it, however often
it forks and whatever session it makes, and /proc shows it. Elsewhere a job is its process group.
"""

import os
import sys

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""

_prctl = None
if sys.platform == "linux":
    try:
        import ctypes

        _prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):  # a Python without libffi: process groups then
        _prctl = None


def become_subreaper() -> bool:
    """Take on the orphans below this process; False where the system cannot do that."""
    return _prctl is not None and _prctl(_SUBREAPER, 1, 0, 0, 0) == 0 and os.path.isdir("/proc/self")


def below(root: int) -> list[int]:
    """Give the pids of all that descends from `root`, without it; parents come before children."""
    children: dict[int, list[int]] = {}
    for pid, fields in stats():
        children.setdefault(int(fields[1]), []).append(pid)
    found: list[int] = []
    todo = [root]
    while todo:
        here = children.pop(todo.pop(0), [])
        found += here
        todo += here
    return found


def began(pid: int) -> str:
    """Give what tells process `pid` from another one that has its number; empty where /proc does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().rpartition(b")")[2].split()[19].decode()  # its start, in ticks since boot
    except (FileNotFoundError, ProcessLookupError):
        return ""


def stats() -> list[tuple[int, list[bytes]]]:
    """Give each process's pid and the fields of its /proc/PID/stat from the state on (proc(5))."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb", buffering=0) as file:
                    found.append((int(name), file.read().rpartition(b")")[2].split()))
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def signal_one(pid: int, number: int) -> None:
    """Signal one process, if it still is."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def signal_group(group: int, number: int) -> None:
    """Signal a process group, if it still is."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
