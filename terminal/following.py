"""Follows a run to its end: its log as it is written, over attempts, restarts and broken connections."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from terminal.failures import Failure, Problem, Unreachable, say
from terminal.remote import PASSING, Document, Remote
from terminal.screen import Emit
from terminal.stamped import StampedLog, stamps

PATIENCE = 120.0
"""Seconds that an Errand may be away, as when it is updated: its jobs go on meanwhile."""
_PAUSE = (0.1, 2.0)
"""Seconds between two looks: at first, and at most."""

T = TypeVar("T")


class Follower:
    """Reads the log of run `number` from its beginning; may go on after it was interrupted.

    `kind` is how the API calls such things: `builds` have logs as well, and no attempts. `attempt` is one
    that is read alone; of what it has written so far only the last lines, as many as `tail` says. With
    `stamped` lines begin with the moments at which they were kept.
    """

    def __init__(
        self,
        remote: Remote,
        number: int,
        emit: Emit,
        kind: str = "runs",
        *,
        attempt: int | None = None,
        tail: int | None = None,
        stamped: StampedLog | None = None,
    ) -> None:
        self._remote = remote
        self._path = f"/api/{kind}/{number}"
        self._has_attempts = kind == "runs"
        self._emit = emit
        self._is_alone = attempt is not None
        self._attempt = attempt or 1
        self._tail = tail
        self._stamped = stamped
        self._seen = 0

    def to_the_end(self) -> Document:
        """The document once the log is complete. Raises `Failure` where that cannot be known.

        An answer ends with its log, but also with an Errand that is stopped. So a log is complete where
        nothing was left to read after the run, or the attempt, was seen to be over.
        """
        pause = _PAUSE[0]
        while True:
            run = self._patiently(self._look)
            seen = self._seen
            self._patiently(self._read)
            if self._seen > seen:
                pause = _PAUSE[0]
            elif not self._is_alone and self._has_more_than_this(run):
                self._attempt, self._seen = self._attempt + 1, 0
            elif run["state"] == "finished" or self._has_more_than_this(run):
                self._emit(b"", self._attempt)
                return run
            else:
                time.sleep(pause)
                pause = min(2 * pause, _PAUSE[1])

    def _look(self) -> Document:
        return self._remote.ask("GET", self._path)

    def _has_more_than_this(self, run: Document) -> bool:
        return self._has_attempts and len(run["attempts"]) > self._attempt

    def _read(self) -> None:
        """What the log of this attempt has beyond what was seen, as far as one answer tells it."""
        query: dict[str, object] = {"attempt": self._attempt if self._has_attempts else None}
        query |= {"follow": 1, "offset": self._seen} if self._tail is None else {"tail": self._tail}
        answer = self._remote.log(f"{self._path}/logs", query | stamps(self._stamped))
        for end, chunk in answer if self._stamped is None else self._stamped.pieces(answer):
            self._seen, self._tail = end, None
            if chunk:
                self._emit(chunk, self._attempt)

    def _patiently(self, work: Callable[[], T]) -> T:
        """What `work` gives; where Errand does not answer, it is asked again until our patience is over."""
        until, announced = time.monotonic() + PATIENCE, False
        while True:
            try:
                return work()
            except (Unreachable, Problem) as error:
                if not self._may_pass(error) or time.monotonic() > until:
                    raise
                if not announced:
                    say(f"{str(error).splitlines()[0]}\nTrying again; the run does not hang on it.")
                    announced = True
            time.sleep(_PAUSE[1] / 2)
            try:
                self._remote.again(os.environ)
            except Failure:
                continue  # whoever starts anew writes where it is in a moment

    def _may_pass(self, error: Unreachable | Problem) -> bool:
        """Whether it may be another answer in a while: a service that is started anew has another token."""
        if isinstance(error, Unreachable):
            return True
        return error.status in PASSING or (error.status == 401 and self._remote.place.local)
