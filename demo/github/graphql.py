"""The GraphQL API, as far as a comment can be folded away and members be read with it.

https://docs.github.com/graphql/reference/mutations#minimizecomment
https://docs.github.com/graphql/reference/objects#organizationmemberconnection
"""

import re
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import Caller
from demo.github.accounts import Organization
from demo.github.endpoints import Endpoints, Table, body_of
from demo.github.state import Comment

PATH = "/graphql"
PAGE = 100
_MINIMIZE = re.compile(
    r"mutation\(\$id: ID!\) \{ minimizeComment\(input: \{subjectId: \$id, classifier: ([A-Z]+)\}\)"
    r" \{ minimizedComment \{ isMinimized \} \} \}"
)
_MEMBERS = (
    "query($login: String!, $after: String) { organization(login: $login)"
    " { membersWithRole(first: 100, after: $after) { nodes { login organizationVerifiedDomainEmails(login:"
    " $login) } pageInfo { hasNextPage endCursor } } } }"
)
_TEAMS = (
    "query($login: String!, $user: String!, $after: String) { organization(login: $login)"
    " { teams(first: 100, after: $after, userLogins: [$user]) { nodes { slug ancestors(first: 100)"
    " { nodes { slug } } } pageInfo { hasNextPage endCursor } } } }"
)
_CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")


class GraphQL(Endpoints):
    """Answers are 200, whatever is wrong with a query."""

    def table(self) -> Table:
        """The endpoint."""
        return [("POST", PATH, self.query)]

    async def query(self, request: Request) -> Response:
        """Two queries and one mutation, each in one spelling; everything else is told to be no query."""
        caller = self._access.caller(request)
        body = await body_of(request)
        text, variables = str(body.get("query")), body.get("variables")
        if set(body) != {"query", "variables"} or not isinstance(variables, dict):
            return _no_query()
        if text == _MEMBERS:
            return self._members(caller, variables)
        if text == _TEAMS:
            return self._teams(caller, variables)
        found = _MINIMIZE.fullmatch(text)
        if found is None or found[1] not in _CLASSIFIERS:
            return _no_query()
        return self._minimize(caller, found[1], variables)

    def _minimize(self, caller: Caller, classifier: str, variables: Mapping[str, Any]) -> Response:
        if set(variables) != {"id"}:
            return _error("minimizeComment", None, "Variable $id of type ID! was provided invalid value")
        comment = self._comment(variables["id"])
        if comment is None:
            message = f"Could not resolve to a node with the global id of '{variables['id']}'"
            return _error("minimizeComment", "NOT_FOUND", message)
        repository = self._state.repository(comment.repository)
        kinds = ("pull_requests",) if comment.thread is not None else ("issues", "pull_requests")
        if repository is None or not self._access.may(caller, repository, "write", *kinds):
            return _error("minimizeComment", "FORBIDDEN", "Resource not accessible by integration")
        comment.minimized = classifier
        return JSONResponse({"data": {"minimizeComment": {"minimizedComment": {"isMinimized": True}}}})

    def _members(self, caller: Caller, variables: Mapping[str, Any]) -> Response:
        organization = self._organization(caller, variables)
        if isinstance(organization, Response):
            return organization
        nodes = [_member(organization, login) for login in sorted(organization.members)]
        return _page("membersWithRole", nodes, variables)

    def _teams(self, caller: Caller, variables: Mapping[str, Any]) -> Response:
        """Those that somebody is in themselves, whoever was invited is not yet."""
        organization = self._organization(caller, variables)
        if isinstance(organization, Response):
            return organization
        user = str(variables.get("user")).lower()
        slugs = [
            slug
            for slug, people in sorted(organization.teams.items())
            if {login.lower(): state for login, state in people.items()}.get(user) == "active"
        ]
        nodes = [{"slug": slug, "ancestors": {"nodes": _above(organization, slug)}} for slug in slugs]
        return _page("teams", nodes, variables)

    def _organization(self, caller: Caller, variables: Mapping[str, Any]) -> Organization | Response:
        name = str(variables.get("login")).lower()
        organization = self._state.organizations.get(name)
        if organization is None:
            message = f"Could not resolve to an Organization with the login of '{name}'."
            return _error("organization", "NOT_FOUND", message)
        if not self._access.reads_members(caller, name):
            return _error("organization", "FORBIDDEN", "Resource not accessible by integration")
        return organization

    def _comment(self, id: Any) -> Comment | None:
        return next((each for each in self._state.comments if self._shapes.comment_node(each) == id), None)


def _member(organization: Organization, login: str) -> dict[str, Any]:
    addresses = organization.members[login]
    seen = [each for each in addresses if each.rpartition("@")[2].lower() in organization.domains]
    return {"login": login, "organizationVerifiedDomainEmails": seen}


def _above(organization: Organization, slug: str) -> list[dict[str, Any]]:
    """The teams above one, the nearest first."""
    found = []
    while (parent := organization.parents.get(slug)) is not None:
        found.append({"slug": parent})
        slug = parent
    return found


def _page(what: str, nodes: list[dict[str, Any]], variables: Mapping[str, Any]) -> Response:
    start = int(variables.get("after") or 0)
    end = start + PAGE
    page = {
        "nodes": nodes[start:end],
        "pageInfo": {"hasNextPage": end < len(nodes), "endCursor": str(min(end, len(nodes)))},
    }
    return JSONResponse({"data": {"organization": {what: page}}})


def _no_query() -> Response:
    return _error("", None, "Parse error: that is no query that the stand-in knows")


def _error(what: str, kind: str | None, message: str) -> Response:
    error: dict[str, Any] = {"message": message, "locations": [{"line": 1, "column": 20}]}
    if kind is not None:
        error |= {"type": kind, "path": [what]}
    return JSONResponse({"data": {what: None} if what else None, "errors": [error]})
