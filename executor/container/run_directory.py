"""What Errand keeps of a run beside its container: the files of DIRECTORY/runs/KEY.

`lock`     held by the one process that starts the run, writes its log and stops it in time (flock(2))
`begun`    the machine's boot at which a start was first asked for
`started`  when the job's first process began, for those who only watch
`stop`     who asked for a stop (a result) and when
`signalled` when SIGTERM had been sent
`notes`    lines of Errand's own, which come last in the log
`outcome`  how it ended; written last
`files/N`  what is mounted into the container
`report/`  files that are mounted, too: what the job says of itself
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from executor.reports import files
from executor.spec import Headway, Outcome, Report, Result
from executor.supervisor import lock

BEGUN, STARTED, STOP, SIGNALLED, NOTES, OUTCOME = "begun", "started", "stop", "signalled", "notes", "outcome"

_FILES, _REPORT = "files", "report"
_MODE = 0o444


class RunDirectory:
    """The directory of one run; all methods block, each for a moment."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def make(self) -> bool:
        """Make the directory; False if it was there."""
        try:
            self.path.mkdir(0o700)
        except FileExistsError:
            return False
        return True

    def exists(self) -> bool:
        """Whether anything was begun under this key."""
        return self.path.is_dir()

    def take(self) -> int | None:
        """Take the lock; None if another one has it. Closing the descriptor lets go, and tells the directory.

        Trying in vain does not: those who wait for a change would wake each other.
        """
        path = str(self.path / "lock")
        if os.path.exists(path):
            free = lock.shared(path)
            if free is None:
                return None
            os.close(free)
        return lock.alone(path, wait=False)

    def write(self, name: str, value: Any) -> None:
        """Keep a value whole or not at all; nothing happens if the run was removed."""
        made = self.path / f".{name}-{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            made.write_text(json.dumps(value), encoding="utf-8")
            made.rename(self.path / name)

    def read(self, name: str) -> Any:
        """Give a value; None if there is none."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None

    def outcome(self) -> Outcome | None:
        """How it ended, if it has."""
        record = self.read(OUTCOME)
        if record is None:
            return None
        report = record.pop("report", None) or {}  # there is none of before there were reports
        if headway := report.get("headway"):
            report["headway"] = Headway(**headway)
        report["remarks"] = tuple(report.get("remarks") or ())
        return Outcome(**record | {"result": Result(record["result"]), "report": Report(**report)})

    def end(self, outcome: Outcome) -> None:
        """Record the end."""
        self.write(OUTCOME, asdict(outcome))

    @property
    def report(self) -> Path:
        """Where the files of its report are."""
        return self.path / _REPORT

    def make_report(self) -> Path:
        """Make the files of its report, which whoever the job is may write; gives where they are.

        Nobody else comes to them: the run's directory is Errand's own.
        """
        files.make(str(self.report), mode=0o666)
        return self.report

    def put(self, texts: Iterable[str]) -> list[Path]:
        """Write the files that are mounted; gives them in the same order."""
        directory = self.path / _FILES
        directory.mkdir(0o700, exist_ok=True)
        placed = []
        for number, text in enumerate(texts):
            path = directory / str(number)
            path.unlink(missing_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
            path.chmod(_MODE)
            placed.append(path)
        return placed

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.path, ignore_errors=True)
