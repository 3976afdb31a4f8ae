"""Waits for a run beside the person who asked for it: time limits, Ctrl-C, and the exit code."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from terminal.ending import Ending, Terminated
from terminal.failures import INTERRUPTED, REFUSED, TIMED_OUT, Failure, say
from terminal.following import Follower
from terminal.printing import closing, document
from terminal.progress import Progress
from terminal.remote import Document, Remote
from terminal.screen import output


class TimeIsUp(Exception):
    """The time that somebody gave is over."""


def attend(remote: Remote, run: Document, *, timeout: float | None, as_json: bool) -> int:
    """Follow `run`, tell how it ended, and give the exit code that says so.

    That is the job's own; 124 where `timeout` (seconds) is over first, 130 for an interrupt, 128 + N for
    another signal that asks for the end.
    """
    ending = Ending()
    try:
        with ending.heeded():
            return _attended(remote, run, timeout, as_json)
    except Terminated:
        number = run["number"]
        say(f"#{number} goes on.\n{_ways(number)}")
        return 128 + (ending.number or 0)


def _attended(remote: Remote, run: Document, timeout: float | None, as_json: bool) -> int:
    number = int(run["number"])
    emit = output(number, as_json)
    with Progress(remote, run) as progress:
        follower = Follower(remote, number, progress.until_something_comes(emit))
        try:
            with _limit(timeout):
                ended = follower.to_the_end()
        except TimeIsUp:
            progress.end()
            say(f"The time is up; #{number} goes on.\n{_ways(number)}")
            return TIMED_OUT
        except KeyboardInterrupt:
            progress.end()
            return _interrupted(remote, follower, number)
    if as_json:
        document(ended)
    else:
        say(closing(ended))
    return exit_code(ended)


def exit_code(run: Document) -> int:
    """The job's own; 1 for a run that has none and did not succeed, or that ended well too late."""
    code = run.get("exit_code")
    if run.get("result") == "succeeded":
        return 0
    return code if isinstance(code, int) and 0 < code < 256 else REFUSED


@contextmanager
def _limit(seconds: float | None) -> Iterator[None]:
    """Raise `TimeIsUp` in the main thread after so many seconds, whatever it waits for."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TimeIsUp

    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupted(remote: Remote, follower: Follower, number: int) -> int:
    """Ask on a terminal whether the run is to be cancelled, and if so wait for its end; else it goes on."""
    if not _agreed(number):
        say(f"#{number} goes on.\n{_ways(number)}")
        return INTERRUPTED
    try:
        remote.ask("POST", f"/api/runs/{number}/cancel", {})
        say(closing(follower.to_the_end()))
    except KeyboardInterrupt:
        say(f"#{number} is being stopped; `errand status {number}` tells how it ended.")
    except Failure as error:
        say(str(error))
    return INTERRUPTED


def _agreed(number: int) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    with suppress(KeyboardInterrupt):  # also while it is being asked
        sys.stderr.write(f"\nCancel run #{number}? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")
    sys.stderr.write("\n")
    return False


def _ways(number: int) -> str:
    return f"`errand logs -f {number}` follows it, `errand cancel {number}` stops it."
