"""Deployments, their statuses, and the protection rules of their environments."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import ApiError, invalid, not_found
from demo.github.checking import DESCRIPTION_CHARACTERS, address, text
from demo.github.endpoints import REPO, Endpoints, Table, body_of
from demo.github.shapes import Json, iso, node
from demo.github.state import Deployment, DeploymentStatus, Repository, Review

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
REVIEW_CHARACTERS = 1024
REPORTS = 10  # comments without a word on whether it may go on
_FIELDS = {
    "state",
    "target_url",
    "log_url",
    "description",
    "environment",
    "environment_url",
    "auto_inactive",
}


class Deployments(Endpoints):
    """What is deployed where."""

    def table(self) -> Table:
        """The endpoints."""
        one = f"{REPO}/deployments/{{id:int}}"
        return [
            ("GET", one, self.get),
            ("GET", f"{one}/statuses", self.list_statuses),
            ("POST", f"{one}/statuses", self.create_status),
            ("POST", f"{REPO}/actions/runs/{{run:int}}/deployment_protection_rule", self.review),
        ]

    async def get(self, request: Request) -> Response:
        """https://docs.github.com/rest/deployments/deployments#get-a-deployment"""
        _, repository = self._access.require(request, "read", "deployments")
        found = self._deployment(request, repository)
        return JSONResponse({"id": found.id, "sha": found.sha, "environment": found.environment})

    async def list_statuses(self, request: Request) -> Response:
        """https://docs.github.com/rest/deployments/statuses#list-deployment-statuses"""
        _, repository = self._access.require(request, "read", "deployments")
        found = self._deployment(request, repository)
        newest = list(reversed(found.statuses))
        return self._page(request, newest, lambda page: [self._shape(found, each) for each in page])

    async def create_status(self, request: Request) -> Response:
        """https://docs.github.com/rest/deployments/statuses#create-a-deployment-status"""
        caller, repository = self._access.require(request, "write", "deployments")
        found = self._deployment(request, repository)
        made = self._status(await body_of(request), caller.login)
        found.statuses.append(made)
        return JSONResponse(self._shape(found, made), 201)

    async def review(self, request: Request) -> Response:
        """https://docs.github.com/rest/actions/workflow-runs#review-custom-deployment-protection-rules"""
        caller, repository = self._access.require(request, "write", "deployments")
        if caller.app is None:
            raise ApiError(403, "Only a GitHub App can review its custom deployment protection rules.")
        body = await body_of(request)
        name = text(body, "environment_name", "Deployment", required=True) or ""
        state, comment = body.get("state"), text(body, "comment", "Deployment")
        if state is not None and state not in ("approved", "rejected"):
            raise invalid("Deployment", "state", "invalid")
        if comment is not None and len(comment) > REVIEW_CHARACTERS:
            raise invalid(
                "Deployment", "comment", "custom", "comment is too long (maximum is 1024 characters)"
            )
        if state is None and not comment:
            raise invalid("Deployment", "comment", "missing_field")
        waiting = (repository.name, int(request.path_params["run"]), name)
        if waiting not in self._state.waiting:
            raise ApiError(422, "No pending deployment protection rule for this environment.")
        reviews = [each for each in self._state.reviews if (each.repository, each.run) == waiting[:2]]
        if state is None and sum(each.state is None for each in reviews) >= REPORTS:
            raise ApiError(422, "A status can be reported at most 10 times.")
        self._state.reviews.append(Review(*waiting, state, comment))
        if state is not None:
            self._state.waiting.discard(waiting)
        return Response(status_code=204)

    def _status(self, body: Any, login: str) -> DeploymentStatus:
        unknown = set(body) - _FIELDS
        if unknown:
            raise ApiError(422, f'Invalid request.\n\n"{min(unknown)}" is not a permitted key.')
        if body.get("state") not in STATES:
            raise invalid("DeploymentStatus", "state", "custom", "state is not included in the list")
        description = text(body, "description", "DeploymentStatus")
        if description is not None and len(description) > DESCRIPTION_CHARACTERS:
            message = f"description is too long (maximum is {DESCRIPTION_CHARACTERS} characters)"
            raise invalid("DeploymentStatus", "description", "custom", message)
        return DeploymentStatus(
            id=next(self._state.ids),
            login=login,
            state=body["state"],
            description=description or "",
            log_url=address(body, "log_url", "DeploymentStatus"),
            environment_url=address(body, "environment_url", "DeploymentStatus"),
            created_at=self._clock(),
        )

    def _shape(self, deployment: Deployment, status: DeploymentStatus) -> Json:
        here = f"{self._shapes.url}/repos/{deployment.repository}"
        url = f"{here}/deployments/{deployment.id}"
        return {
            "url": f"{url}/statuses/{status.id}",
            "id": status.id,
            "node_id": node("DeploymentStatus", status.id),
            "state": status.state,
            "creator": self._shapes.user(status.login),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url or "",
            "log_url": status.log_url or "",
            "environment_url": status.environment_url or "",
            "created_at": iso(status.created_at),
            "updated_at": iso(status.created_at),
            "deployment_url": url,
            "repository_url": here,
        }

    def _deployment(self, request: Request, repository: Repository) -> Deployment:
        found = self._state.deployments.get(request.path_params["id"])
        if found is None or found.repository != repository.name:
            raise not_found()
        return found
