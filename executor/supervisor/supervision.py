"""One run's supervisor: starts the job, writes its log, stops it, and records how it ended.

It depends on nobody: it goes on when Errand is stopped or killed. It runs in a fork of the fork
server, so what it does must be cheap and what it imports small.
"""

import os
import select
import signal
import time

from executor.logs.logfile import LogWriter
from executor.supervisor import descendants, record, shells
from executor.supervisor.job import CannotStart, JobProcess, start
from executor.supervisor.memory import MemoryWatch
from executor.supervisor.output import Output, Wakes

SIGNALS = (signal.SIGTERM, signal.SIGCHLD)
"""What is blocked from the fork until the supervisor can heed it."""

_KILL_AGAIN = 0.2
"""Seconds after which processes that were killed and are still there are killed again."""

_UNKILLABLE = 10.0
"""Seconds to wait for processes that do not go even when killed, such as those stuck in a dead disk."""


def supervise(fields: dict[str, list[bytes]], starter: int) -> None:
    """Do what a request asks, unless that was begun before; `starter` is woken at every change."""
    job = JobProcess(fields)
    # Who sees the lock held waits for wakes and their end. So the FIFO is opened before the lock is
    # taken; and as a process that dies closes its lowest descriptor first, it is open for longer.
    lock = record.open_lock(job.directory)
    wakes = Wakes(job.directory, starter)
    if not record.take_lock(lock):
        return
    if record.read_status(job.directory) is not None:
        return
    status = record.StatusWriter(job.directory)
    own = os.getpid()
    status.write(record.STARTING, durable=True, supervisor=own, began=descendants.began(own), boot=job.boot)
    _Supervision(job, status, wakes).run()


class _Supervision:
    """The life of one job."""

    def __init__(self, job: JobProcess, status: record.StatusWriter, wakes: Wakes) -> None:
        self._job = job
        self._status = status
        self._wakes = wakes
        self._memory = MemoryWatch(job.memory)
        log = LogWriter(job.log, job.log_size)
        self._output = Output(log, job.secrets, wakes, self._memory.look if job.memory else None)
        self._poll = select.poll()
        self._contained = descendants.become_subreaper()
        self._pid = 0
        self._code: int | None = None  # of the job's first process, once it ended
        self._alone = False  # no child is left
        self._result: str | None = None  # set once the job is being stopped
        self._stop_at = self._kill_at = 0.0  # monotonic

    def run(self) -> None:
        """Start the job, wait for its end, record it."""
        self._listen()
        if os.path.exists(os.path.join(self._job.directory, record.STOP)):
            self._finish("cancelled")
            return
        try:
            self._pid = start(self._job, self._output.writing)
        except CannotStart as problem:
            self._output.say(str(problem))
            self._finish(problem.result, problem.code, problem.reason, self._output.masked(str(problem)))
            return
        os.close(self._output.writing)
        self._stop_at = time.monotonic() + self._job.timeout
        self._status.write(record.RUNNING, durable=False, pid=self._pid, started_at=time.time())
        self._wakes.status_changed()
        self._watch()
        self._reap()
        if self._code == 128 + signal.SIGTERM and self._outlasted():
            self._code = 128 + signal.SIGKILL  # the shell went at once; what it ran has to be killed
        self._clear()
        result = self._result or ("failed" if self._code else "succeeded")
        reason: str | None = "DeadlineExceeded" if result == "timed_out" else None
        message = None
        if result == "failed":
            self._output.drain()  # its last words
            reason, message = self._memory.reason()
        self._finish(result, self._code, reason, message)

    def _listen(self) -> None:
        self._signals, signalled = os.pipe()
        os.set_blocking(self._signals, False)
        os.set_blocking(signalled, False)
        signal.set_wakeup_fd(signalled, warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, _noted)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self._poll.register(self._signals, select.POLLIN)
        self._poll.register(self._output.reading, select.POLLIN)

    def _watch(self) -> None:
        """Carry output to the log until the job ended, and its processes where they have time to."""
        while self._code is None or self._has_patience():
            due = self._kill_at if self._result else self._stop_at
            self._react(due)
            now = time.monotonic()
            if self._code is not None or now < due:
                continue
            if self._result is None:
                self._stop("timed_out")
            elif now >= self._kill_at:
                self._signal_all(signal.SIGKILL)
                self._kill_at = now + _KILL_AGAIN

    def _has_patience(self) -> bool:
        """Tell whether what the first process left may still use the rest of the grace."""
        stopping = self._result is not None and self._contained and self._job.signal_children
        return stopping and not self._alone and time.monotonic() < self._kill_at

    def _outlasted(self) -> bool:
        """Tell whether something is left at the end of a grace that all had."""
        return self._result is not None and self._job.signal_children and self._contained and not self._alone

    def _react(self, until: float) -> None:
        """Wait for output, a signal or the monotonic time `until`, and do what came."""
        wait = max(0, int((until - time.monotonic()) * 1000) + 1)  # milliseconds
        for descriptor, _ in self._poll.poll(min(wait, 2**31 - 1)):
            if descriptor == self._signals:
                self._heed(os.read(self._signals, 4096))
            elif self._output.pump() is None:
                self._poll.unregister(descriptor)

    def _heed(self, numbers: bytes) -> None:
        if signal.SIGTERM in numbers and self._result is None and self._code is None:
            self._stop("cancelled")
        self._reap()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._alone = True
                return
            if pid == 0:
                return
            if pid == self._pid:
                code = os.waitstatus_to_exitcode(status)
                self._code = code if code >= 0 else 128 - code

    def _stop(self, result: str) -> None:
        self._result = result
        self._kill_at = time.monotonic() + self._job.grace
        if self._contained and shells.waits(self._pid):
            # First of all, so that it does not go on to its next command when this one ends.
            descendants.signal_one(self._pid, signal.SIGURG)
            for pid in (
                descendants.below(os.getpid()) if self._job.signal_children else shells.children(self._pid)
            ):
                if pid != self._pid:
                    descendants.signal_one(pid, signal.SIGTERM)
        elif self._job.signal_children:
            self._signal_all(signal.SIGTERM)
        else:
            descendants.signal_one(self._pid, signal.SIGTERM)

    def _signal_all(self, number: int) -> None:
        if self._contained:
            for pid in descendants.below(os.getpid()):
                descendants.signal_one(pid, number)
        else:
            descendants.signal_group(self._pid, number)

    def _clear(self) -> None:
        """Kill what is left of the job, as often as needed: a process may fork while it is killed."""
        self._reap()
        if not self._contained:
            self._signal_all(signal.SIGKILL)
            return
        until = time.monotonic() + _UNKILLABLE
        while not self._alone and time.monotonic() < until:
            self._signal_all(signal.SIGKILL)
            self._react(time.monotonic() + _KILL_AGAIN)
        if not self._alone:
            self._output.problem = "Some of its processes could not be killed."

    def _finish(
        self, result: str, code: int | None = None, reason: str | None = None, message: str | None = None
    ) -> None:
        self._output.finish()
        self._status.write(
            record.FINISHED,
            durable=True,
            result=result,
            exit_code=code,
            reason=reason,
            message=" ".join(filter(None, (message, self._output.problem))) or None,
            finished_at=time.time(),
            cpu=round(time.process_time(), 6),
        )
        self._wakes.status_changed()


def _noted(number: int, frame: object) -> None:
    """Let the wakeup descriptor say that the signal came."""
