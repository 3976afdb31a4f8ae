"""Commit statuses and check runs."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github import checking
from demo.github.access import ApiError, Caller, not_found
from demo.github.endpoints import REPO, Endpoints, Table, body_of
from demo.github.state import (
    Check,
    Repository,
    Status,
)


class Results(Endpoints):
    """How commits stand."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{REPO}/commits/{{ref}}/check-runs", self.list_checks),
            ("GET", f"{REPO}/commits/{{ref}}/statuses", self.list_statuses),
            ("POST", f"{REPO}/statuses/{{sha}}", self.create_status),
            ("POST", f"{REPO}/check-runs", self.create_check),
            ("GET", f"{REPO}/check-runs/{{id:int}}", self.get_check),
            ("PATCH", f"{REPO}/check-runs/{{id:int}}", self.update_check),
        ]

    async def list_statuses(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/statuses#list-commit-statuses-for-a-reference"""
        _, repository = self._access.require(request, "read", "statuses")
        sha = await self._sha(repository, request.path_params["ref"])
        found = [
            each for each in self._state.statuses if (each.repository, each.sha) == (repository.name, sha)
        ]
        return self._page(request, found[::-1], lambda some: [self._shapes.status(each) for each in some])

    async def create_status(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/statuses#create-a-commit-status"""
        caller, repository = self._access.require(request, "write", "statuses")
        sha = await self._full_sha(repository, request.path_params["sha"])
        state, context, description, target = checking.status_fields(await body_of(request))
        same = [each for each in self._state.statuses if (each.sha, each.context) == (sha, context)]
        if len(same) >= checking.STATUSES:
            message = "This SHA and context has reached the maximum number of statuses."
            raise ApiError(
                422, "Validation Failed", [{"resource": "Status", "code": "custom", "message": message}]
            )
        made = Status(
            id=next(self._state.ids),
            repository=repository.name,
            sha=sha,
            login=caller.login,
            state=state,
            context=context,
            description=description,
            target_url=target,
            created_at=self._clock(),
        )
        self._state.statuses.append(made)
        return JSONResponse(self._shapes.status(made), 201)

    async def create_check(self, request: Request) -> Response:
        """https://docs.github.com/rest/checks/runs#create-a-check-run"""
        caller, repository = self._checker(request)
        body = await body_of(request)
        missing = [field for field in ("name", "head_sha") if not isinstance(body.get(field), str)]
        if missing:
            raise ApiError(422, f"Invalid request.\n\n{', '.join(missing)} weren't supplied.")
        sha = await self._full_sha(repository, body["head_sha"])
        check = Check(next(self._state.ids), repository.name, sha, caller.app or 0, body["name"])
        checking.fill_check(check, body)
        self._state.checks.append(check)
        return JSONResponse(self._shapes.check(check), 201)

    async def get_check(self, request: Request) -> Response:
        """https://docs.github.com/rest/checks/runs#get-a-check-run"""
        _, repository = self._access.require(request, "read", "checks")
        return JSONResponse(self._shapes.check(self._check(request, repository)))

    async def update_check(self, request: Request) -> Response:
        """https://docs.github.com/rest/checks/runs#update-a-check-run"""
        _, repository = self._checker(request)
        check = self._check(request, repository)
        checking.fill_check(check, await body_of(request))
        return JSONResponse(self._shapes.check(check))

    async def list_checks(self, request: Request) -> Response:
        """https://docs.github.com/rest/checks/runs#list-check-runs-for-a-git-reference"""
        _, repository = self._access.require(request, "read", "checks")
        sha = await self._sha(repository, request.path_params["ref"])
        query = request.query_params
        found = [
            check
            for check in self._state.checks
            if (check.repository, check.head_sha) == (repository.name, sha)
            and query.get("check_name", check.name) == check.name
            and query.get("status", check.status) == check.status
            and query.get("app_id", str(check.app)) == str(check.app)
        ]
        if query.get("filter", "latest") == "latest":
            ordered = sorted(found, key=lambda check: check.started_at or "~")
            found = list({(check.app, check.name): check for check in ordered}.values())
        return self._page(
            request,
            found,
            lambda page: {
                "total_count": len(found),
                "check_runs": [self._shapes.check(each) for each in page],
            },
        )

    def _checker(self, request: Request) -> tuple[Caller, Repository]:
        if self._access.caller(request).app is None:
            raise ApiError(403, "You must authenticate via a GitHub App.")
        return self._access.require(request, "write", "checks")

    def _check(self, request: Request, repository: Repository) -> Check:
        key = (request.path_params["id"], repository.name)
        for check in self._state.checks:
            if (check.id, check.repository) == key:
                return check
        raise not_found()
