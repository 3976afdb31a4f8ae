"""The GraphQL API, as far as a comment can be folded away with it.

https://docs.github.com/graphql/reference/mutations#minimizecomment
"""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.endpoints import Endpoints, Table, body_of
from demo.github.state import Comment

PATH = "/graphql"
_MINIMIZE = re.compile(
    r"mutation\(\$id: ID!\) \{ minimizeComment\(input: \{subjectId: \$id, classifier: ([A-Z]+)\}\)"
    r" \{ minimizedComment \{ isMinimized \} \} \}"
)
_CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")


class GraphQL(Endpoints):
    """Answers are 200, whatever is wrong with a query."""

    def table(self) -> Table:
        """The endpoint."""
        return [("POST", PATH, self.query)]

    async def query(self, request: Request) -> Response:
        """One mutation, in one spelling; everything else is told to be no query."""
        caller = self._access.caller(request)
        body = await body_of(request)
        found = _MINIMIZE.fullmatch(str(body.get("query")))
        if found is None or found[1] not in _CLASSIFIERS or set(body) != {"query", "variables"}:
            return _error(None, "Parse error: that is no query that the stand-in knows")
        variables = body["variables"]
        if not isinstance(variables, dict) or set(variables) != {"id"}:
            return _error(None, "Variable $id of type ID! was provided invalid value")
        comment = self._comment(variables["id"])
        if comment is None:
            message = f"Could not resolve to a node with the global id of '{variables['id']}'"
            return _error("NOT_FOUND", message)
        repository = self._state.repository(comment.repository)
        kinds = ("pull_requests",) if comment.thread is not None else ("issues", "pull_requests")
        if repository is None or not self._access.may(caller, repository, "write", *kinds):
            return _error("FORBIDDEN", "Resource not accessible by integration")
        comment.minimized = found[1]
        return JSONResponse({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})

    def _comment(self, id: Any) -> Comment | None:
        return next((each for each in self._state.comments if self._shapes.comment_node(each) == id), None)


def _error(kind: str | None, message: str) -> Response:
    error: dict[str, Any] = {"message": message, "locations": [{"line": 1, "column": 20}]}
    if kind is not None:
        error |= {"type": kind, "path": ["minimizeComment"]}
    return JSONResponse({"data": {"minimizeComment": None}, "errors": [error]})
