"""Three audiences. The class of an exception says whom it is for; everything else is for the operator."""

from collections.abc import Mapping, Sequence
from typing import Any


class AskerError(Exception):
    """For the person who asked: the message is posted as written (Markdown, already safe)."""

    @property
    def reason(self) -> dict[str, Any]:
        """What is stored of it: a `kind` and what it speaks of; `answer` is one that is only kept as said."""
        return {"kind": "answer", "text": str(self).replace("\n", " ")}


class NotAllowed(AskerError):
    """The asker may not, or not now. `why` tells others of it, so it says nothing that was typed."""


class NotAlone(NotAllowed):
    """A run that wants to be alone is not started beside another; `reason` says which that is."""

    def __init__(self, message: str, reason: Mapping[str, Any]) -> None:
        super().__init__(message)
        self._reason = dict(reason)

    @property
    def reason(self) -> dict[str, Any]:
        """The run that is in the way."""
        return self._reason


class Missing(AskerError):
    """There is nothing of that name."""


class Unfit(AskerError):
    """What was given does not fit. `mistakes`: where in what was asked (`parameters`, NAME) and what."""

    def __init__(self, message: str, mistakes: Sequence[tuple[tuple[str, ...], str]]) -> None:
        super().__init__(message)
        self.mistakes = tuple(mistakes)


class Elsewhere(AskerError):
    """Somebody who had to be asked, such as GitHub, did not answer; it may work soon."""


class RetryLater(Exception):
    """For the retry loop: the same thing may work after `delay` seconds. `message` is for the log."""

    def __init__(self, message: str, *, delay: float | None = None) -> None:
        super().__init__(message)
        self.delay = delay


class DatabaseAway(RetryLater):
    """The database does not answer or takes nothing. The store has said so in the log, once for everybody."""


class Refused(Exception):
    """For the operator: the other side said a final no (`status` is its HTTP code or its error's name)."""

    def __init__(self, message: str, *, status: int | str | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigError(Exception):
    """For the operator, at start: every mistake of `app.yaml`, one line each, `file:line:column: what`."""
