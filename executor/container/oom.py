"""Whether a container ran into its memory limit, where the engine cannot tell: on cgroup v1.

Podman's conmon sees it on cgroup v2 only. Version 1 of the kernel's interface tells it through an eventfd:
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html#oom-control
"""

import contextlib
import os
import re
import select
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup/memory")
_KILLED = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_SOON = 0.2
"""Seconds in which an event that is on its way arrives."""


class OutOfMemory:
    """Watches the processes that belong with process `pid`; blocking."""

    def __init__(self, pid: int) -> None:
        self._event: int | None = None
        self._control = _group(pid) / "memory.oom_control"
        with contextlib.suppress(OSError):  # it has just ended, or may not be watched
            self._watch()

    def happened(self) -> bool:
        """Whether the kernel had no more memory for it; to be asked once, when it has ended."""
        if self._event is None:
            return False
        with contextlib.suppress(OSError):
            killed = _KILLED.search(self._control.read_text())
            if killed is not None:
                return killed[1] != "0"
        # The group is gone, which comes as one event too: a moment later, from a queue of the kernel's.
        count = self._count(_SOON)
        return count + (self._count(_SOON) if count == 1 else 0) > 1

    def close(self) -> None:
        """Stop watching."""
        if self._event is not None:
            os.close(self._event)
            self._event = None

    def _count(self, patience: float) -> int:
        if self._event is None or not select.select([self._event], [], [], patience)[0]:
            return 0
        return os.eventfd_read(self._event)

    def _watch(self) -> None:
        control = os.open(self._control, os.O_RDONLY | os.O_CLOEXEC)
        event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        try:
            self._control.with_name("cgroup.event_control").write_text(f"{event} {control}")
            self._event = event
        finally:
            os.close(control)
            if self._event is None:
                os.close(event)


def _group(pid: int) -> Path:
    """Name the memory group of a process; a place that is not there without cgroup v1, or elsewhere."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(","):
                return _ROOT / path.lstrip("/")
    return _ROOT / "nowhere"
