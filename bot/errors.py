"""Three audiences. The class of an exception says whom it is for; everything else is for the operator."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any


class ProblemType(StrEnum):
    """What kind of problem it is: by this programs tell one from another, never by its sentence.

    The `type` of a problem document (https://www.rfc-editor.org/rfc/rfc9457#section-3.1.1). What stands here
    once is never renamed; `UNTYPED` says no more than the status does.
    """

    UNTYPED = "about:blank"
    NO_SUCH_JOB = "urn:errand:problem:no-such-job"
    NO_SUCH_IMAGE = "urn:errand:problem:no-such-image"
    NO_SUCH_RUN = "urn:errand:problem:no-such-run"
    NO_SUCH_BUILD = "urn:errand:problem:no-such-build"
    NO_SUCH_LOG = "urn:errand:problem:no-such-log"
    NO_SUCH_FREEZE = "urn:errand:problem:no-such-freeze"
    NO_SUCH_LOCK = "urn:errand:problem:no-such-lock"
    NO_SUCH_TOKEN = "urn:errand:problem:no-such-token"  # noqa: S105 (no secret)
    NO_SUCH_SESSION = "urn:errand:problem:no-such-session"
    NO_LOGIN = "urn:errand:problem:no-login"
    LOGIN_ENDED = "urn:errand:problem:login-ended"
    NO_SUCH_HOOK = "urn:errand:problem:no-such-hook"
    NO_SUCH_PIN = "urn:errand:problem:no-such-pin"
    NO_SUCH_DELIVERY = "urn:errand:problem:no-such-delivery"
    INVALID = "urn:errand:problem:invalid"
    UNFIT = "urn:errand:problem:unfit"
    NOT_POSSIBLE = "urn:errand:problem:not-possible"
    NOT_ALLOWED = "urn:errand:problem:not-allowed"
    NOT_MET = "urn:errand:problem:not-met"
    HEAD_MOVED = "urn:errand:problem:head-moved"
    NOT_ALONE = "urn:errand:problem:not-alone"
    FROZEN = "urn:errand:problem:frozen"
    NOT_AFTER = "urn:errand:problem:not-after"
    NAME_TAKEN = "urn:errand:problem:name-taken"
    NOT_FINISHED = "urn:errand:problem:not-finished"
    JOB_CONFLICT = "urn:errand:problem:job-conflict"


class AskerError(Exception):
    """For the person who asked: the message is posted as written (Markdown, already safe)."""

    problem = ProblemType.NOT_POSSIBLE

    @property
    def reason(self) -> dict[str, Any]:
        """What is stored of it: a `kind` and what it speaks of; `answer` is one that is only kept as said."""
        return {"kind": "answer", "text": str(self).replace("\n", " ")}


class NotAllowed(AskerError):
    """The asker may not, or not now. `why` tells others of it, so it says nothing that was typed.

    `rule` is what refused, for the journal.
    """

    problem = ProblemType.NOT_ALLOWED

    def __init__(self, message: str, rule: str | None = None) -> None:
        super().__init__(message)
        self.rule = rule


class NotNow(NotAllowed):
    """Something stands in the way of a run now; `reason` says what, as it is stored."""

    def __init__(self, message: str, reason: Mapping[str, Any]) -> None:
        super().__init__(message, "concurrency: forbid" if reason.get("kind") == "alone" else None)
        self._reason = dict(reason)

    @property
    def reason(self) -> dict[str, Any]:
        """What is in the way."""
        return self._reason


class NotAlone(NotNow):
    """A run that wants to be alone is not started beside another."""

    problem = ProblemType.NOT_ALONE


class Frozen(NotNow):
    """Nothing of the kind starts until a freeze is over."""

    problem = ProblemType.FROZEN


class NotAfter(NotNow):
    """A run is not started before another job has succeeded for what it is of."""

    problem = ProblemType.NOT_AFTER


class NotFinished(AskerError):
    """It goes on or waits, and only what is over is removed."""

    problem = ProblemType.NOT_FINISHED


class NotMet(AskerError):
    """What the job requires of the pull request does not hold; `codes` say which of it."""

    problem = ProblemType.NOT_MET

    def __init__(self, message: str, codes: Sequence[str]) -> None:
        super().__init__(message)
        self.codes = tuple(codes)

    @property
    def reason(self) -> dict[str, Any]:
        """The codes."""
        return {"kind": "requirements", "codes": list(self.codes)}


class HeadMoved(AskerError):
    """The pull request has got other commits since the comment was written."""

    problem = ProblemType.HEAD_MOVED


class Missing(AskerError):
    """There is nothing of that name; `problem` says what is missing."""

    def __init__(self, message: str, problem: ProblemType = ProblemType.UNTYPED) -> None:
        super().__init__(message)
        self.problem = problem


class Unfit(AskerError):
    """What was given does not fit. `mistakes`: where in what was asked (`parameters`, NAME) and what."""

    problem = ProblemType.UNFIT

    def __init__(self, message: str, mistakes: Sequence[tuple[tuple[str, ...], str]]) -> None:
        super().__init__(message)
        self.mistakes = tuple(mistakes)


class Unmet(AskerError):
    """What is to be changed is not what the person who asked expects it to be."""

    problem = ProblemType.UNTYPED


class Elsewhere(AskerError):
    """Somebody who had to be asked, such as GitHub, did not answer; it may work soon."""

    problem = ProblemType.UNTYPED


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


class KnownFault(Refused):
    """A no that stands in the log already, once for all that it stops.

    `delay`: it is not final; the same may work once somebody has mended that, and is worth a look so often.
    """

    def __init__(self, message: str, *, status: int | str | None = None, delay: float | None = None) -> None:
        super().__init__(message, status=status)
        self.delay = delay


class ConfigError(Exception):
    """For the operator, at start: every mistake of `app.yaml`, one line each, `file:line:column: what`."""
