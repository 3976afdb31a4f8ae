"""What the API answers when it cannot: problem documents (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457).

`type` says what kind of problem it is where the status does not say all, and is `about:blank` elsewhere.
`title` is the HTTP status' own phrase; `detail` says what to do, in words that may change.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from starlette.responses import Response

from bot.errors import AskerError, Elsewhere, Missing, ProblemType, Unfit, Unmet

T = TypeVar("T")

MEDIA_TYPE = "application/problem+json"

MOST_MISTAKES = 100
"""Mistakes that are told at once."""

_OF_FRAGMENT = "/~!$&'()*+,;=:@?"
"""What stands in the fragment of a URI as it is; a pointer after a `#` is one (RFC 6901, section 6)."""

LONGEST_NAME = 200
"""Characters of a name that an answer repeats."""


@dataclass(eq=False)
class Problem(Exception):
    """For who called the API: answered as it is. `detail` is a sentence and holds no secret.

    `extra` are members of its own.
    """

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    _: KW_ONLY
    extra: Mapping[str, object] = field(default_factory=dict)
    kind: ProblemType = ProblemType.UNTYPED

    def __str__(self) -> str:
        return self.detail

    def response(self) -> Response:
        """The document."""
        document = {
            "type": self.kind.value,
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers}
        return Response(json.dumps(document), self.status, headers, MEDIA_TYPE)


def required(row: T | None, problem: Problem) -> T:
    """What was read; where there is none, raises the problem that says so."""
    if row is None:
        raise problem
    return row


def unauthorized(
    detail: str = "This needs an API token: send it as `Authorization: Bearer TOKEN`.",
) -> Problem:
    """No token, or one that is not known; the same words for both."""
    return Problem(401, detail, {"WWW-Authenticate": 'Bearer realm="errand"'})


def forbidden(needs: str, login: str | None = None) -> Problem:
    """A token or a person (`login`) that is known and may not do this: what it would take."""
    if login is not None:
        return Problem(403, f"{login} may not do that. It takes {needs}, by what {login} may on GitHub.")
    return Problem(403, f"This token may not do that. It needs {needs}; `errand token create` makes tokens.")


def missing(kind: str, number: int) -> Problem:
    """No such run or build (`kind` as in the path); the same words for one that the token may not see."""
    which = ProblemType.NO_SUCH_BUILD if kind == "builds" else ProblemType.NO_SUCH_RUN
    return Problem(404, f"There is no {kind.removesuffix('s')} #{number}.", kind=which)


def missing_job() -> Problem:
    """No such job; the same words for one that the token may not see."""
    return Problem(404, "There is no such job.", kind=ProblemType.NO_SUCH_JOB)


def wrong(mistakes: Sequence[tuple[str, str]], what: str = "body", *, detail: str | None = None) -> Problem:
    """422 with every mistake and its place in the body; `detail` where a sentence of its own tells them."""
    kind = ProblemType.INVALID if detail is None else ProblemType.UNFIT
    count = "One thing is" if len(mistakes) == 1 else f"{len(mistakes)} things are"
    errors = [
        {"pointer": f"#{quote(at, safe=_OF_FRAGMENT)}", "detail": sentence} for at, sentence in mistakes
    ]
    del errors[MOST_MISTAKES:]
    return Problem(422, detail or f"{count} wrong with this {what}.", extra={"errors": errors}, kind=kind)


def pointer(path: Sequence[object]) -> str:
    """The JSON pointer to `path` (RFC 6901), empty for the whole; a very long name is cut."""
    parts = (str(part).encode("utf-8", "replace").decode()[:LONGEST_NAME] for part in path)
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def of_asker(error: AskerError) -> Problem:
    """What the bot says to the person who asked, as it is said over HTTP; the sentences are Markdown."""
    if isinstance(error, Unfit):
        return wrong([(pointer(place), what) for place, what in error.mistakes], detail=str(error))
    if isinstance(error, Elsewhere):
        return away(str(error))
    status = 404 if isinstance(error, Missing) else 412 if isinstance(error, Unmet) else 409
    return Problem(status, str(error), kind=error.problem)


def away(
    detail: str = "Errand's database does not answer now; try again soon.", after: float | None = None
) -> Problem:
    """Something that is needed cannot be had now; if not said, the database. `after`: seconds to wait."""
    return Problem(503, detail, {"Retry-After": f"{after or 5:.0f}"})
