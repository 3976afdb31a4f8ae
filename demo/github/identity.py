"""Who is who: the App, its installations and their tokens."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import ApiError, not_found
from demo.github.accounts import Installation, Token
from demo.github.endpoints import REPO, Endpoints, Table, body_of
from demo.github.shapes import Json, iso
from demo.github.state import PERMISSIONS, TOKEN_SECONDS


class Identity(Endpoints):
    """The App and its tokens."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", "/app", self.get_app),
            ("GET", "/user", self.get_user),
            ("POST", "/app/installations/{id:int}/access_tokens", self.create_token),
            ("GET", f"{REPO}/installation", self.get_installation),
            ("GET", "/orgs/{org}/installation", self.get_installation_of_organization),
        ]

    async def get_app(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#get-the-authenticated-app"""
        self._access.as_app(request)
        made = self._state.registered
        if made is None:
            return JSONResponse(self._shapes.app(PERMISSIONS))
        events = {"events": made.manifest.get("default_events", [])}
        return JSONResponse(self._shapes.app(made.manifest.get("default_permissions", {})) | events)

    async def get_user(self, request: Request) -> Response:
        """https://docs.github.com/rest/users/users#get-the-authenticated-user"""
        caller = self._access.caller(request)
        if caller.app is not None:
            raise ApiError(403, "Resource not accessible by integration")
        return JSONResponse(self._shapes.user(caller.login))

    async def create_token(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app"""
        self._access.as_app(request)
        installation = self._state.installations.get(request.path_params["id"])
        if installation is None:
            raise not_found()
        body = await body_of(request)
        permissions = _chosen_permissions(installation, body.get("permissions"))
        repositories = self._chosen_repositories(
            installation, body.get("repositories"), body.get("repository_ids")
        )
        expires_at = self._clock() + TOKEN_SECONDS
        token = Token(
            text=f"ghs_{secrets.token_hex(18)}",
            login=f"{self._shapes.app({})['slug']}[bot]",
            installation=installation.id,
            permissions=permissions,
            repositories=repositories,
            expires_at=expires_at,
        )
        self._state.tokens[token.text] = token
        answer: Json = {
            "token": token.text,
            "expires_at": iso(expires_at),
            "permissions": permissions if permissions is not None else installation.permissions,
            "repository_selection": "all" if repositories is None else "selected",
        }
        if repositories is not None:
            known = [self._state.repositories[name] for name in sorted(repositories)]
            answer["repositories"] = [self._shapes.repository(each) for each in known]
        return JSONResponse(answer, 201)

    def _chosen_repositories(
        self, installation: Installation, names: Any, numbers: Any
    ) -> frozenset[str] | None:
        if not names and not numbers:
            return frozenset(installation.repositories) if installation.repositories is not None else None
        found = [self._state.repository(f"{installation.account}/{name}") for name in names or ()]
        found += [self._state.numbered(number) for number in numbers or ()]
        chosen = [
            each for each in found if each is not None and self._access.installation(each) is installation
        ]
        if len(chosen) != len(found):
            raise ApiError(
                422,
                "There is at least one repository that does not exist or is not accessible to the "
                "parent installation.",
            )
        return frozenset(each.name for each in chosen)

    async def get_installation(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app"""
        self._access.as_app(request)
        repository = self._state.repository(f"{request.path_params['owner']}/{request.path_params['repo']}")
        installation = self._access.installation(repository) if repository is not None else None
        if installation is None:
            raise not_found()
        return JSONResponse(self._shapes.installation(installation))

    async def get_installation_of_organization(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#get-an-organization-installation-for-the-authenticated-app"""
        self._access.as_app(request)
        name = request.path_params["org"].lower()
        found = (each for each in self._state.installations.values() if each.account.lower() == name)
        installation = next(found, None)
        if installation is None or name not in self._state.organizations:
            raise not_found()
        return JSONResponse(self._shapes.installation(installation))


def _chosen_permissions(installation: Installation, permissions: Any) -> dict[str, str] | None:
    if not permissions:
        return None
    levels = {"read": 0, "write": 1}
    for name, level in permissions.items():
        if levels.get(level, 9) > levels.get(installation.permissions.get(name, ""), -1):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return dict(permissions)
