"""Settles a run whose supervisor is gone without having recorded an end: killed, or the machine fell."""

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

from executor.supervisor import descendants, record
from executor.supervisor.boot import boot

_NEAR = 3.0
"""Seconds by which a process's start may differ from the recorded one, where it is known in seconds."""


def settle(directory: str, status: record.Status) -> record.Status:
    """Kill what is left of the job and record the end `SupervisorLost`; give the final status."""
    if status.get("boot") == boot():
        _kill_left(status)
    record.StatusWriter(directory, again=True).write(
        record.FINISHED,
        durable=True,
        result="error",
        reason="SupervisorLost",
        message="Its supervisor was killed, so how it ended is not known.",
        finished_at=time.time(),
    )
    return record.read_status(directory) or status


def _kill_left(status: record.Status) -> None:
    if sys.platform == "linux":
        session = int(status["supervisor"])
        # The number is not given to a new process while the session has members; if a process has
        # it that is not the supervisor on its way out, then that session is another one.
        if descendants.began(session) in ("", status.get("began")):
            for pid, fields in descendants.stats():
                if int(fields[3]) == session:
                    descendants.signal_one(pid, signal.SIGKILL)
    elif "pid" in status and _began(int(status["pid"]), float(status["started_at"])):
        descendants.signal_group(int(status["pid"]), signal.SIGKILL)


def _began(pid: int, at: float) -> bool:
    """Tell whether process `pid` is the one that was started at `at`, asking ps(1)."""
    result = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    try:
        began = datetime.strptime(result.stdout.strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(began.timestamp() - at) <= _NEAR
