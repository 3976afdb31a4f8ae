"""Logging in with GitHub: there and back, and what came back is believed once.

What ties the way back to the way there is a cookie with the state; PKCE's verifier is made of the state with
a key of the installation, so it is kept nowhere.
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import hmac
import re
import secrets
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.access import links
from bot.config import github_app
from bot.errors import Refused, RetryLater
from webhooks.access import Access
from webhooks.pages.login import Login, about
from webhooks.pages.targets import local_target

WAY_THERE = "/login/github"
WAY_BACK = github_app.CALLBACK
LIFE_S = 600
"""Seconds that somebody may take at GitHub."""

_STATE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

log = structlog.get_logger()


class PersonLogins(Protocol):
    """`bot.github.logins.Logins`."""

    def address(self, state: str, verifier: str, back: str) -> str:
        """Where GitHub asks somebody whether they want to."""

    async def login_of(self, code: str, verifier: str, back: str) -> str:
        """Who a code is of; raises `Refused` and `RetryLater`."""


class GitHubLogin:
    """The two routes. `url` is the installation's public address, `keys` make the verifier.

    What goes wrong is said on the page of `login`, and counts there as a wrong token does.
    """

    def __init__(
        self, logins: PersonLogins, access: Access, url: str, keys: links.Keys, login: Login
    ) -> None:
        self._logins = logins
        self._access = access
        self._back = url + WAY_BACK
        self._keys = keys
        self._mistake, self._failures = login.form, login.failures
        self._cookie = f"{access.cookie}-login"

    def routes(self) -> list[Route]:
        """What to mount."""
        return [
            Route(WAY_THERE, self.leave, methods=["GET"]),
            Route(WAY_BACK, self.arrive, methods=["GET"]),
        ]

    async def leave(self, request: Request) -> Response:
        """To GitHub."""
        state, target = secrets.token_urlsafe(32), local_target(request.query_params.get("next", "/"))
        there = self._logins.address(state, links.verifier(state, self._keys), self._back)
        response = RedirectResponse(there, 303, {"Cache-Control": "no-store"})
        response.set_cookie(
            self._cookie,
            f"{state}{target}",
            max_age=LIFE_S,
            secure=self._access.secure,
            httponly=True,
            samesite="lax",
        )
        return response

    async def arrive(self, request: Request) -> Response:
        """Back from GitHub: a session for who may see something here, else the login page with why not."""
        kept = request.cookies.get(self._cookie, "")
        state, target = kept[:43], local_target(kept[43:] or "/")
        address = request.client.host if request.client else ""
        if self._failures.too_many(address):
            return self._mistake(429, target, "Too many logins failed. Wait a minute, then try again.")
        response = await self._admit(request, state, target)
        if response.status_code == 403:
            self._failures.add(address)
        response.delete_cookie(self._cookie, secure=self._access.secure, httponly=True, samesite="lax")
        return response

    async def _admit(self, request: Request, state: str, target: str) -> Response:
        echo = request.query_params.get("state", "")
        if not _STATE.fullmatch(state) or not hmac.compare_digest(state.encode(), echo.encode()):
            return self._mistake(403, target, "This did not begin here, or took too long. Please try again.")
        if request.query_params.get("error"):
            return self._mistake(403, target, "GitHub was told no, so nobody is logged in.")
        try:
            verifier = links.verifier(state, self._keys)
            login = await self._logins.login_of(request.query_params.get("code", ""), verifier, self._back)
            cookie = await self._access.login_person(login, **about(request))
        except Refused as refused:
            log.warning("login.refused", why=str(refused))
            return self._mistake(403, target, "GitHub did not say who you are. Please try again.")
        except RetryLater as later:
            log.warning("login.later", why=str(later))
            return self._mistake(503, target, "GitHub does not answer now. Please try again in a moment.")
        if cookie is None:
            return self._mistake(
                403,
                target,
                f"{login} may run nothing here, and no yes is theirs, so there is nothing to see.",
            )
        log.info("login.person", login=login)
        response = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
        self._access.keep(response, cookie)
        return response
