"""The endpoints."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from demo.github import checking
from demo.github.access import Access, ApiError, Caller, invalid, not_found
from demo.github.shapes import Json, Shapes, iso
from demo.github.state import (
    PERMISSIONS,
    TOKEN_SECONDS,
    Check,
    Comment,
    Installation,
    Reaction,
    Repository,
    State,
    Status,
    Token,
)
from demo.watched import SLASH

RATE_LIMIT = 5000
PAGE = 30
LARGEST_PAGE = 100
_DISCUSS = ("issues", "pull_requests")
_BASE_ROLES = {"triage": "read", "maintain": "write"}
_REPO = "/repos/{owner}/{repo}"

Endpoint = Callable[[Request], Awaitable[Response]]


class Routes:
    """One method per endpoint; each checks who calls first."""

    def __init__(self, state: State, access: Access, shapes: Shapes, clock: Callable[[], float]) -> None:
        self._state = state
        self._access = access
        self._shapes = shapes
        self._clock = clock

    def app(self) -> Starlette:
        """The application."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/app", self.get_app),
            ("GET", "/user", self.get_user),
            ("POST", "/app/installations/{id:int}/access_tokens", self.create_token),
            ("GET", f"{_REPO}/installation", self.get_installation),
            ("GET", _REPO, self.get_repository),
            ("GET", f"{_REPO}/collaborators/{{login}}/permission", self.get_permission),
            ("GET", f"{_REPO}/pulls/{{number:int}}", self.get_pull),
            ("GET", f"{_REPO}/commits/{{ref}}/check-runs", self.list_checks),
            ("GET", f"{_REPO}/commits/{{ref:path}}", self.get_commit),
            ("GET", f"{_REPO}/issues/{{number:int}}/comments", self.list_comments),
            ("POST", f"{_REPO}/issues/{{number:int}}/comments", self.create_comment),
            ("GET", f"{_REPO}/issues/comments/{{id:int}}", self.get_comment),
            ("PATCH", f"{_REPO}/issues/comments/{{id:int}}", self.update_comment),
            ("POST", f"{_REPO}/issues/comments/{{id:int}}/reactions", self.create_reaction),
            ("POST", f"{_REPO}/statuses/{{sha}}", self.create_status),
            ("POST", f"{_REPO}/check-runs", self.create_check),
            ("GET", f"{_REPO}/check-runs/{{id:int}}", self.get_check),
            ("PATCH", f"{_REPO}/check-runs/{{id:int}}", self.update_check),
        ]
        routes = [Route(path, self._guarded(endpoint), methods=[method]) for method, path, endpoint in table]
        handlers = {404: _unknown, 405: _unknown}
        return Starlette(routes=routes, exception_handlers=handlers)

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with what GitHub does around every one: user agent, rate limit, errors as JSON."""

        async def guarded(request: Request) -> Response:
            headers = self._limits(request)
            try:
                if not request.headers.get("user-agent"):
                    raise ApiError(403, "Request forbidden by administrative rules.")
                if int(headers["x-ratelimit-used"]) > RATE_LIMIT:
                    raise ApiError(403, "API rate limit exceeded.")
                response = await endpoint(request)
            except ApiError as error:
                response = JSONResponse(error.body, error.status, error.headers)
            response.headers.update(headers)
            return response

        return guarded

    def _limits(self, request: Request) -> dict[str, str]:
        credential = request.headers.get("authorization", "")
        used = self._state.used.get(credential, 0) + 1
        self._state.used[credential] = used
        return {
            "x-ratelimit-limit": str(RATE_LIMIT),
            "x-ratelimit-remaining": str(max(RATE_LIMIT - used, 0)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(int(self._clock() // 3600 * 3600 + 3600)),
            "x-ratelimit-resource": "core",
        }

    async def get_app(self, request: Request) -> Response:
        """https://docs.github.com/rest/apps/apps#get-the-authenticated-app"""
        self._access.as_app(request)
        return JSONResponse(self._shapes.app(PERMISSIONS))

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
        body = await _body(request)
        permissions = _chosen_permissions(installation, body.get("permissions"))
        repositories = self._chosen_repositories(installation, body.get("repositories"))
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

    def _chosen_repositories(self, installation: Installation, names: Any) -> frozenset[str] | None:
        if not names:
            return frozenset(installation.repositories) if installation.repositories is not None else None
        found = [self._state.repository(f"{installation.account}/{name}") for name in names]
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

    async def list_comments(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#list-issue-comments"""
        _, repository = self._access.require(request, "read", *_DISCUSS)
        issue = self._issue(request, repository)
        since = request.query_params.get("since", "")
        found = [
            comment
            for comment in self._state.comments
            if (comment.repository, comment.issue) == (repository.name, issue)
            and iso(comment.updated_at) >= since
        ]
        return self._page(request, found, lambda page: [self._shapes.comment(each) for each in page])

    async def create_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#create-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        issue = self._issue(request, repository)
        text = checking.comment_body(await _body(request))
        now = self._clock()
        comment = Comment(
            next(self._state.ids), repository.name, issue, caller.login, caller.app, now, now, [text]
        )
        self._state.comments.append(comment)
        return JSONResponse(self._shapes.comment(comment), 201)

    async def get_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#get-an-issue-comment"""
        _, repository = self._access.require(request, "read", *_DISCUSS)
        return JSONResponse(self._shapes.comment(self._comment(request, repository)))

    async def update_comment(self, request: Request) -> Response:
        """https://docs.github.com/rest/issues/comments#update-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        comment = self._comment(request, repository)
        if comment.login != caller.login and caller.app is not None:
            raise ApiError(403, "Resource not accessible by integration")
        comment.history.append(checking.comment_body(await _body(request)))
        comment.updated_at = self._clock()
        return JSONResponse(self._shapes.comment(comment))

    async def create_reaction(self, request: Request) -> Response:
        """https://docs.github.com/rest/reactions/reactions#create-reaction-for-an-issue-comment"""
        caller, repository = self._access.require(request, "write", *_DISCUSS)
        comment = self._comment(request, repository)
        content = (await _body(request)).get("content")
        if content not in checking.REACTIONS:
            raise invalid("Reaction", "content", "invalid")
        for each in self._state.reactions:
            if (each.comment, each.login, each.content) == (comment.id, caller.login, content):
                return JSONResponse(self._shapes.reaction(each), 200)
        made = Reaction(
            next(self._state.ids), repository.name, comment.id, caller.login, content, self._clock()
        )
        self._state.reactions.append(made)
        return JSONResponse(self._shapes.reaction(made), 201)

    async def create_status(self, request: Request) -> Response:
        """https://docs.github.com/rest/commits/statuses#create-a-commit-status"""
        caller, repository = self._access.require(request, "write", "statuses")
        sha = await self._full_sha(repository, request.path_params["sha"])
        state, context, description, target = checking.status_fields(await _body(request))
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
        body = await _body(request)
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
        checking.fill_check(check, await _body(request))
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
            found = list({check.name: check for check in found}.values())
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

    def _issue(self, request: Request, repository: Repository) -> int:
        number: int = request.path_params["number"]
        if number not in repository.pulls and number not in repository.issues:
            raise not_found()
        return number

    def _comment(self, request: Request, repository: Repository) -> Comment:
        wanted = (request.path_params["id"], repository.name)
        for comment in self._state.comments:
            if (comment.id, comment.repository) == wanted:
                return comment
        raise not_found()

    def _check(self, request: Request, repository: Repository) -> Check:
        wanted = (request.path_params["id"], repository.name)
        for check in self._state.checks:
            if (check.id, check.repository) == wanted:
                return check
        raise not_found()

    async def _sha(self, repository: Repository, ref: str) -> str:
        name = ref.replace(SLASH, "/")
        sha = await asyncio.to_thread(repository.resolve, name)
        if sha is None:
            raise ApiError(422, f"No commit found for SHA: {name}")
        return sha

    async def _full_sha(self, repository: Repository, sha: str) -> str:
        """Statuses and checks take whole SHAs only."""
        if len(sha) != 40 or await self._sha(repository, sha) != sha:
            raise ApiError(422, f"No commit found for SHA: {sha}")
        return sha

    def _page(
        self, request: Request, found: Sequence[Any], shape: Callable[[Sequence[Any]], Any]
    ) -> Response:
        size = min(max(_whole(request, "per_page", PAGE), 1), LARGEST_PAGE)
        page = max(_whole(request, "page", 1), 1)
        last = max((len(found) + size - 1) // size, 1)
        numbers = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        links = []
        for relation, number in numbers.items():
            if 1 <= number <= last and not (relation in ("next", "last") and page >= last):
                if relation == "first" and page == 1:
                    continue
                target = request.url.include_query_params(page=number)
                links.append(f'<{target}>; rel="{relation}"')
        response = JSONResponse(shape(found[(page - 1) * size : page * size]))
        if links:
            response.headers["link"] = ", ".join(links)
        return response


async def _body(request: Request) -> Json:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError:
        raise ApiError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, "Body should be a JSON object")
    return body


def _whole(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    return int(value) if value.isdecimal() else default


def _chosen_permissions(installation: Installation, wanted: Any) -> dict[str, str] | None:
    if not wanted:
        return None
    levels = {"read": 0, "write": 1}
    for name, level in wanted.items():
        if levels.get(level, 9) > levels.get(installation.permissions.get(name, ""), -1):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return dict(wanted)


async def _unknown(request: Request, error: Exception) -> Response:
    return JSONResponse(not_found().body, 404)
