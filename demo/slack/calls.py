"""One call of the Web API: whose token, which scope, how often; then the method.

Errors are Slack's own: a 200 with `ok` false, except for a rate limit.
https://docs.slack.dev/apis/web-api, https://docs.slack.dev/authentication/tokens
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.slack.content import arguments_of
from demo.slack.errors import SlackError
from demo.slack.workspace import Json, Workspace

PACED = ("chat.postMessage", "chat.postEphemeral")


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what it does with its arguments, and the scopes of which one is enough."""

    run: Callable[[Json], Json | Awaitable[Json]]
    scopes: tuple[str, ...] = ()
    app: bool = False
    """It takes the token of the app, not of the bot."""


@dataclass(slots=True)
class Credentials:
    """The tokens that are valid, and what they may."""

    bot: str
    app: str
    scopes: set[str]
    app_scopes: set[str]
    ended: str | None = None
    """Why no token works any more: `token_revoked`, `account_inactive`."""


class Calls:
    """The door of the Web API. `pace`: seconds between two messages in one channel."""

    def __init__(self, workspace: Workspace, credentials: Credentials) -> None:
        self.workspace = workspace
        self.credentials = credentials
        self.methods: dict[str, Method] = {}
        self.pace = 0.0
        self._posted_at: dict[tuple[str, str], float] = {}

    def add(self, methods: Mapping[str, Method]) -> None:
        """Serve these as well."""
        self.methods |= methods

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        name: str = request.path_params["method"]
        method = self.methods.get(name)
        accepted = {"x-accepted-oauth-scopes": ",".join(method.scopes)} if method and method.scopes else {}
        now = {"date": formatdate(self.workspace.clock(), usegmt=True)}
        headers = {"x-oauth-scopes": ",".join(sorted(self._scopes(method)))} | accepted | now
        try:
            arguments = await arguments_of(request)
            self._authorize(request, arguments, method)
            if method is None:
                raise SlackError("unknown_method", req_method=name)
            self._check_scope(method)
            wait = self._wait(name, arguments)
            if wait > 0:
                limited = {"ok": False, "error": "ratelimited"}
                return JSONResponse(limited, 429, headers | {"Retry-After": str(max(1, round(wait)))})
            result = method.run(arguments)
            answer = await result if isinstance(result, Awaitable) else result
            self.workspace.accept(name, arguments)
            return JSONResponse({"ok": True, **answer}, headers=headers)
        except SlackError as error:
            shown = headers if error.name not in ("not_authed", "invalid_auth") else now
            return JSONResponse(error.body, headers=shown)

    def _scopes(self, method: Method | None) -> set[str]:
        known = self.credentials
        return known.app_scopes if method is not None and method.app else known.scopes

    def _authorize(self, request: Request, arguments: Json, method: Method | None) -> None:
        header = request.headers.get("authorization", "")
        token = header.removeprefix("Bearer ") if header else arguments.get("token")
        known = self.credentials
        if not token:
            raise SlackError("not_authed")
        if token not in (known.bot, known.app):
            raise SlackError("invalid_auth")
        if known.ended is not None:
            raise SlackError(known.ended)
        wants_app = method is not None and method.app
        if method is not None and wants_app != (token == known.app):
            raise SlackError("not_allowed_token_type")

    def _check_scope(self, method: Method) -> None:
        scopes = self._scopes(method)
        if method.scopes and not scopes & set(method.scopes):
            needed = method.scopes[0]
            raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(scopes)))

    def _wait(self, name: str, arguments: Json) -> float:
        """For how long the channel has to wait for its next message."""
        if self.pace <= 0 or name not in PACED:
            return 0.0
        key = (name, str(arguments.get("channel")).removeprefix("#"))
        now = self.workspace.clock()
        wait = self._posted_at.get(key, float("-inf")) + self.pace - now
        if wait > 0:
            return wait
        self._posted_at[key] = now
        return 0.0
