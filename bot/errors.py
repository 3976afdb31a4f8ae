"""Three audiences. The class of an exception says whom it is for; everything else is for the operator."""

from collections.abc import Sequence


class AskerError(Exception):
    """For the person who asked: the message is posted as written (Markdown, already safe)."""


class NotAllowed(AskerError):
    """The asker may not, or not now. `why` tells others of it, so it says nothing that was typed."""


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
