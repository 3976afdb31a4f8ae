"""What the API answers when it cannot: problem documents (RFC 9457, https://www.rfc-editor.org/rfc/rfc9457).

`type` is always `about:blank`, so `title` is the HTTP status' own phrase; `detail` says what to do.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """For who called the API: answered as it is. `detail` is a sentence and holds no secret."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.extra = dict(extra or {})
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The document."""
        return problem(self.status, self.detail, self.headers, extra=self.extra)


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    extra: Mapping[str, object] | None = None,
) -> Response:
    """A problem document with this HTTP status; `extra` are members of its own."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(extra or {}),
    }
    return Response(
        json.dumps(document),
        status,
        {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})},
        MEDIA_TYPE,
    )


def unauthorized() -> Problem:
    """No token, or one that is not known; the same words for both."""
    return Problem(
        401,
        "This needs an API token: send it as `Authorization: Bearer TOKEN`.",
        {"WWW-Authenticate": 'Bearer realm="errand"'},
    )


def forbidden(needs: str) -> Problem:
    """A token that is known and may not do this: what it would need for it."""
    return Problem(403, f"This token may not do that. It needs {needs}; `errand token create` makes tokens.")


def missing(kind: str, number: int) -> Problem:
    """No such run or build (`kind` as in the path); the same words for one that the token may not see."""
    return Problem(404, f"There is no {kind.removesuffix('s')} #{number}.")


def unavailable() -> Problem:
    """The database does not answer now."""
    return Problem(503, "Errand's database does not answer now; try again soon.", {"Retry-After": "5"})


def busy() -> Problem:
    """All streams are taken."""
    return Problem(503, "Too many streams are open; try again soon.", {"Retry-After": "5"})
