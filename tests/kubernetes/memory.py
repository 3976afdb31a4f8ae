"""Limits of memory by control groups, of either version. https://docs.kernel.org/admin-guide/cgroup-v2.html"""

import os
from contextlib import suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class Limits:
    """Groups below one of our own; none where this machine does not let us."""

    def __init__(self, name: str) -> None:
        self._second = (_ROOT / "cgroup.controllers").exists()
        base = _ROOT if self._second else _ROOT / "memory"
        self._home: Path | None = base / name
        try:
            self._home.mkdir()
            if self._second:
                for place in (base, self._home):
                    (place / "cgroup.subtree_control").write_text("+memory")
            self.remove(self.make("probe", 2**26))
        except OSError:
            with suppress(OSError):
                (base / name).rmdir()
            self._home = None

    @property
    def works(self) -> bool:
        """Whether memory can be limited here."""
        return self._home is not None

    def make(self, name: str, limit: int) -> Path | None:
        """Make a group with at most `limit` bytes."""
        if self._home is None:
            return None
        group = self._home / name
        group.mkdir()
        if self._second:
            (group / "memory.max").write_text(str(limit))
            with suppress(OSError):
                (group / "memory.swap.max").write_text("0")
        else:
            (group / "memory.limit_in_bytes").write_text(str(limit))
            with suppress(OSError):
                (group / "memory.memsw.limit_in_bytes").write_text(str(limit))
        return group

    def was_reached(self, group: Path) -> bool:
        """Whether something in the group was killed for it."""
        name = "memory.events" if self._second else "memory.oom_control"
        for line in (group / name).read_text().splitlines():
            word, _, number = line.partition(" ")
            if word == "oom_kill":
                return int(number) > 0
        return False

    def remove(self, group: Path | None) -> None:
        """Remove an empty group."""
        if group is not None:
            with suppress(OSError):
                group.rmdir()

    def close(self) -> None:
        """Remove all of them."""
        if self._home is not None:
            for group in list(os.scandir(self._home)):
                if group.is_dir():
                    self.remove(Path(group.path))
            self.remove(self._home)
