"""The pages that make the GitHub App: a form that goes to GitHub, and where GitHub sends the browser back to.

https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

import asyncio
import hmac
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from bot.config import envfile, github_app
from bot.config.at_hand import AppAtHand, Service, section
from bot.config.findings import Invalid
from bot.errors import Refused, RetryLater
from bot.github.registration import Registration
from executor.spec import Secret
from webhooks.headers import SECURITY
from webhooks.pages.renderer import PageRenderer

PATH = "/setup/github"
_MADE = f"{PATH}/made"
_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", re.ASCII)
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""What a proxy adds, so that who comes through one on this machine is not taken for somebody at it."""

Exchange = Callable[[str], Awaitable[Registration]]
"""Gives the credentials for GitHub's code; raises `RetryLater`, `Refused`."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who may make the App: a browser on this machine, or whoever has the `code`.

    A browser on this machine only where `url`, the address of the installation, is this machine's as well:
    behind a proxy everybody seems to sit here.
    """

    url: str
    code: Secret = field(default_factory=lambda: Secret(secrets.token_urlsafe(18)))

    @property
    def address(self) -> str:
        """What is told whoever started Errand; it holds the code."""
        return f"{self.url}{PATH}?{urlencode({'code': self.code.reveal()})}"

    def admits(self, request: Request) -> bool:
        """Whether this request may see the form."""
        code = request.query_params.get("code", "")
        return hmac.compare_digest(code.encode(), self.code.reveal().encode()) or self._is_here(request)

    def _is_here(self, request: Request) -> bool:
        names = (urlsplit(self.url).hostname, _host(request.headers.get("host", "")))
        return (
            all(github_app.is_loopback(name) for name in names)
            and github_app.is_loopback(request.client.host if request.client else None)
            and not any(name in request.headers for name in _FORWARDED)
        )


class AppSetup:
    """The two pages. `app` is what the `app.yaml` at `config` says; `made` is set when an App was made."""

    def __init__(
        self, app: AppAtHand, config: Path, entrance: Entrance, renderer: PageRenderer, exchange: Exchange
    ) -> None:
        self.made = asyncio.Event()
        self.registration: Registration | None = None
        self._app = app
        self._path = config
        self._entrance = entrance
        self._renderer = renderer
        self._exchange = exchange
        self._state = secrets.token_urlsafe(24)
        github = app.config.github
        self._web = github_app.web_url(github.api_url if github else github_app.CLOUD)

    def routes(self) -> list[Route]:
        """What to mount."""
        return [Route(PATH, self.show, methods=["GET"]), Route(_MADE, self.finish, methods=["GET"])]

    def alone(self) -> ASGIApp:
        """An application of these pages and nothing else."""
        return Starlette(routes=[*self.routes(), self._renderer.route()])

    async def show(self, request: Request) -> Response:
        """The form, filled in with what this `app.yaml` needs."""
        if not self._entrance.admits(request):
            words = (
                "Open this page with the address that Errand printed when it was started: it holds a code."
            )
            return self._message(403, "Not with this address", words)
        if self.registration is not None:
            return self._done(self.registration)
        owner = request.query_params.get("organization", "").strip()
        if owner and not _OWNER.fullmatch(owner):
            return self._message(400, "No such organization", "That is no name of an organization.")
        path = f"/organizations/{quote(owner)}/settings/apps/new" if owner else "/settings/apps/new"
        needs, github = github_app.needs(self._app.config), self._app.config.github
        manifest = github_app.manifest(self._app.config, redirect=self._entrance.url + _MADE)
        return self._page(
            "setup.html",
            action=f"{self._web}{path}?{urlencode({'state': self._state})}",
            manifest=json.dumps(manifest),
            permissions=sorted(needs.permissions.items()),
            events=needs.events,
            owner=owner,
            code=request.query_params.get("code", ""),
            reached=github_app.is_public(self._app.config.url),
            url=self._app.config.url,
            poll=github.poll if github else None,
        )

    async def finish(self, request: Request) -> Response:
        """GitHub's code becomes credentials in `.env`, once for each form."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            return self._message(
                403, "Not from here", "This answer of GitHub's belongs to no form of this page."
            )
        self._state = secrets.token_urlsafe(24)
        try:
            registration = await self._exchange(code)
            await asyncio.to_thread(keep, self._path, self._app, registration)
        except (Refused, RetryLater, Invalid, OSError) as error:
            return self._message(502, "The App could not be taken over", f"{error} Begin again at {PATH}.")
        self.registration = registration
        self.made.set()
        return self._done(registration)

    def _done(self, registration: Registration) -> Response:
        return self._page(
            "setup_done.html",
            slug=registration.slug,
            install=registration.installing,
            variables=sorted(self._app.kept.values()),
            login=self._app.login_lines,
            section=None if self._app.is_named else section(Service.GITHUB),
        )

    def _page(self, template: str, **values: object) -> Response:
        response = self._renderer.page(template, 200, visitor=None, config=self._path.name, **values)
        policy = SECURITY["Content-Security-Policy"]
        response.headers["Content-Security-Policy"] = policy.replace(
            "form-action 'self'", f"form-action 'self' {self._web}"
        )
        return response

    def _message(self, status: int, title: str, words: str) -> Response:
        return self._renderer.page("message.html", status, title=title, words=words, visitor=None)


def keep(config: Path, app: AppAtHand, registration: Registration) -> Path:
    """Put the credentials into the `.env` beside `config`; gives its path. Raises `Invalid`, OSError."""
    values = {
        "app_id": registration.app_id,
        "private_key": registration.private_key.reveal(),
        "webhook_secret": registration.webhook_secret.reveal(),
        "client_id": registration.client_id,
        "client_secret": registration.client_secret.reveal(),
    }
    return envfile.put(config, {app.kept[name]: value for name, value in values.items()})


def _host(header: str) -> str | None:
    """The name in the header `Host`, which whoever sends it chooses; None where it holds none."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None
