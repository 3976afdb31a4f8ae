"""Repositories, people, pull requests and commits."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from demo.github.access import ApiError, not_found
from demo.github.endpoints import REPO, Endpoints, Table

_BASE_ROLES = {"triage": "read", "maintain": "write"}


class Repositories(Endpoints):
    """What there is to read."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", REPO, self.get_repository),
            ("GET", f"{REPO}/collaborators/{{login}}/permission", self.get_permission),
            ("GET", f"{REPO}/pulls/{{number:int}}", self.get_pull),
            ("GET", f"{REPO}/commits/{{ref:path}}", self.get_commit),
        ]

    async def get_repository(self, request: Request) -> Response:
        """https://docs.github.com/rest/repos/repos#get-a-repository"""
        _, repository = self._access.require(request, "read", "metadata")
        return JSONResponse(self._shapes.repository(repository))

    async def get_permission(self, request: Request) -> Response:
        """https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""
        _, repository = self._access.require(request, "read", "metadata")
        login = request.path_params["login"]
        everybody = {name for each in self._state.repositories.values() for name in each.people}
        if login.lower() not in everybody:
            raise ApiError(404, f"{login} is not a user")
        role = repository.people.get(login.lower(), "none" if repository.private else "read")
        base = _BASE_ROLES.get(role, role if role in ("none", "read", "write", "admin") else "write")
        user = self._shapes.user(login)
        return JSONResponse({"permission": base, "role_name": role, "user": {**user, "role_name": role}})

    async def get_pull(self, request: Request) -> Response:
        """https://docs.github.com/rest/pulls/pulls#get-a-pull-request"""
        _, repository = self._access.require(request, "read", "pull_requests")
        pull = repository.pulls.get(request.path_params["number"])
        if pull is None:
            raise not_found()
        return JSONResponse(self._shapes.pull(repository, pull))

    async def get_commit(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/commits#get-a-commit"""
        _, repository = self._access.require(request, "read", "contents")
        sha = await self._sha(repository, request.path_params["ref"])
        if "application/vnd.github.sha" in request.headers.get("accept", ""):
            return PlainTextResponse(sha, media_type="application/vnd.github.sha")
        return JSONResponse(self._shapes.commit(repository, sha))
