"""Who calls, and may they: JWTs of the App, tokens of installations and of people, and the errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from starlette.requests import Request

from demo.github.accounts import Installation, Token
from demo.github.state import Repository, State

JWT_SECONDS = 600
_LEVELS = ("read", "write", "admin")
_ROLES = {"read": 0, "triage": 0, "write": 1, "maintain": 1, "admin": 2}
DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer that is an error, in GitHub's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors:
            self.body["errors"] = errors


def not_found() -> ApiError:
    """The answer for what is not there or must not be seen."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field: str, code: str, message: str | None = None) -> ApiError:
    """The answer for a field that is wrong."""
    problem = {"resource": resource, "field": field, "code": code}
    if message:
        problem["message"] = message
    return ApiError(422, "Validation Failed", [problem])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token belongs to; `app` is the App's id when an installation of it calls."""

    login: str
    app: int | None
    token: Token


class Access:
    """Checks `Authorization` the way GitHub does."""

    def __init__(self, state: State, clock: Callable[[], float], app_id: int, public_key: str) -> None:
        self._state = state
        self._clock = clock
        self._app_id = app_id
        self._public_key = public_key

    def as_app(self, request: Request) -> None:
        """Raise unless the request carries a JWT of the App that is valid now."""
        try:
            claims = jwt.decode(
                _credential(request),
                self._public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_iss": False},
            )
        except jwt.InvalidTokenError:
            raise ApiError(401, "A JSON web token could not be decoded") from None
        now = self._clock()
        issued, ends = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or issued > now:
            raise ApiError(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion "
                "was issued",
            )
        if not isinstance(ends, int) or ends <= now:
            raise ApiError(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the future time at "
                "which the assertion expires",
            )
        if ends > now + JWT_SECONDS:
            raise ApiError(401, "'Expiration time' claim ('exp') is too far in the future")
        if claims.get("iss") != str(self._app_id):
            raise ApiError(404, "Integration not found")

    def caller(self, request: Request) -> Caller:
        """Whose token it is; raises for none, an unknown, a revoked or an expired one."""
        token = self._state.tokens.get(_credential(request))
        if token is None or (token.expires_at is not None and token.expires_at <= self._clock()):
            raise ApiError(401, "Bad credentials")
        return Caller(token.login, self._app_id if token.installation is not None else None, token)

    def repository(self, request: Request, caller: Caller) -> Repository:
        """The repository of the path; 404 where the caller may not see it."""
        name = f"{request.path_params['owner']}/{request.path_params['repo']}"
        found = self._state.repository(name)
        if found is None or (found.private and not self._reaches(caller, found)):
            raise not_found()
        return found

    def sees(self, request: Request, repository: Repository) -> bool:
        """Whether who calls may know where the repository is now."""
        try:
            return not repository.private or self._reaches(self.caller(request), repository)
        except ApiError:
            pass
        try:
            self.as_app(request)
        except ApiError:
            return False
        return self.installation(repository) is not None

    def require(self, request: Request, level: str, *permissions: str) -> tuple[Caller, Repository]:
        """The caller and the repository, where any of `permissions` is granted at `level` (read or write)."""
        caller = self.caller(request)
        repository = self.repository(request, caller)
        if caller.token.installation is None:
            role = repository.people.get(caller.login.lower(), "none")
            if level == "write" and _ROLES.get(role, -1) < 1:
                raise (
                    not_found()
                    if repository.private
                    else ApiError(403, "Must have push access to the repository.")
                )
            return caller, repository
        if not self._reaches(caller, repository):
            if level == "read" and not repository.private:
                return caller, repository
            raise ApiError(403, "Resource not accessible by integration")
        granted = self._granted(caller)
        if not any(_covers(granted.get(permission), level) for permission in permissions):
            raise ApiError(403, "Resource not accessible by integration")
        return caller, repository

    def may(self, caller: Caller, repository: Repository, level: str, *permissions: str) -> bool:
        """Whether `require` would let the caller do it, where no path names the repository."""
        if caller.token.installation is None:
            return _ROLES.get(repository.people.get(caller.login.lower(), "none"), -1) >= (level == "write")
        granted = self._granted(caller)
        return self._reaches(caller, repository) and any(
            _covers(granted.get(permission), level) for permission in permissions
        )

    def reads_members(self, caller: Caller, organization: str) -> bool:
        """Whether the caller may see who is a member of an organization, and with which addresses."""
        if caller.token.installation is None:
            members = self._state.organizations[organization].members
            return caller.login.lower() in {each.lower() for each in members}
        installation = self._state.installations.get(caller.token.installation)
        ours = installation is not None and installation.account.lower() == organization
        return ours and _covers(self._granted(caller).get("members"), "read")

    def installation(self, repository: Repository) -> Installation | None:
        """The App's installation that has the repository."""
        account = repository.name.partition("/")[0]
        for each in self._state.installations.values():
            if each.account.lower() == account.lower() and _has(each.repositories, repository.name):
                return each
        return None

    def _reaches(self, caller: Caller, repository: Repository) -> bool:
        if caller.token.installation is None:
            return caller.login.lower() in repository.people
        installation = self.installation(repository)
        return (
            installation is not None
            and installation.id == caller.token.installation
            and _has(caller.token.repositories, repository.name)
        )

    def _granted(self, caller: Caller) -> Mapping[str, str]:
        installation = self._state.installations.get(caller.token.installation or 0)
        if installation is None:
            return {}
        permissions = caller.token.permissions
        return installation.permissions if permissions is None else {"metadata": "read", **permissions}


def _credential(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if not credential:
        raise ApiError(401, "Requires authentication")
    if scheme.lower() not in ("bearer", "token"):
        raise ApiError(401, "Bad credentials")
    return credential.strip()


def _has(repositories: set[str] | frozenset[str] | None, name: str) -> bool:
    return repositories is None or name.lower() in {each.lower() for each in repositories}


def _covers(granted: str | None, level: str) -> bool:
    return granted in _LEVELS and _LEVELS.index(granted) >= _LEVELS.index(level)
