"""The login form: an API token in, a signed cookie out. No password, no account; only an end is stored.

Where people log in with GitHub, the same page leads there (`github_login`).
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from webhooks.access import Access
from webhooks.failures import MINUTE, Failures
from webhooks.pages.forms import FormUnreadable, fields_of
from webhooks.pages.renderer import PageRenderer
from webhooks.pages.targets import local_target

LONGEST_FORM = 4096
"""Bytes of a login form."""


class Login:
    """The routes `/login` and `/logout`, and the page that asks for a token in place of another."""

    def __init__(
        self, access: Access, renderer: PageRenderer, *, clock: Callable[[], float], with_github: bool = False
    ) -> None:
        self._access = access
        self._renderer = renderer
        self._with_github = with_github
        self.failures = Failures(clock)

    def routes(self) -> list[Route]:
        """What to mount."""
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.log_in, methods=["POST"]),
            Route("/logout", self.log_out, methods=["POST"]),
        ]

    def ask(self, request: Request) -> Response:
        """401, the same for everything that exists and for everything that does not."""
        return self.form(401, request.url.path)

    async def show(self, request: Request) -> Response:
        """The form; who is logged in goes on at once."""
        target = local_target(request.query_params.get("next", "/"))
        visitor = await self._access.visitor(request)
        if visitor is not None and visitor.sees_all:
            return RedirectResponse(target, 303)
        return self.form(200, target)

    async def log_in(self, request: Request) -> Response:
        """Token to cookie, then on to where the visitor wanted to go."""
        try:
            fields = await fields_of(request, longest=LONGEST_FORM)
        except FormUnreadable:
            fields = {}
        target = local_target(fields.get("next", "/"))
        if not self._access.is_own_form(request):
            return self.form(403, target, "This form was sent from another site.")
        address = request.client.host if request.client else ""
        if self.failures.too_many(address):
            return self.form(429, target, "Too many wrong tokens. Wait a minute, then try again.")
        cookie = await self._access.login(fields.get("token", ""))
        if cookie is None:
            self.failures.add(address)
            return self.form(401, target, "That is no token of this installation.")
        response = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
        self._access.keep(response, cookie)
        return response

    async def log_out(self, request: Request) -> Response:
        """Ends the session here and forgets its cookie.

        A cross-site POST brings no cookie (SameSite=Lax), so it does nothing.
        """
        response = RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
        if self._access.is_own_form(request) or await self._has_session(request):
            await self._access.log_out(request)
            self._access.forget(response)
        return response

    async def _has_session(self, request: Request) -> bool:
        visitor = await self._access.visitor(request)
        return visitor is not None and visitor.how == "session"

    def form(self, status: int, target: str, mistake: str | None = None) -> Response:
        """The page that asks who somebody is, with what went wrong before."""
        response = self._renderer.page(
            "login.html",
            status,
            target=local_target(target),
            mistake=mistake,
            with_github=self._with_github,
        )
        if status == 429:
            response.headers["Retry-After"] = str(int(MINUTE))
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="errand"'
        return response


def about(request: Request) -> dict[str, str]:
    """From where and with what somebody comes, as a list of logins tells it."""
    return {
        "address": request.client.host if request.client else "",
        "agent": request.headers.get("user-agent", ""),
    }
