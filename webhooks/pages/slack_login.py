"""Logging in by a link from Slack: it only shows a button, which takes it; so an unfurler takes nothing."""

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.errors import RetryLater
from webhooks.access import Access
from webhooks.pages.forms import FormUnreadable, fields_of
from webhooks.pages.login import LONGEST_FORM, Login, about
from webhooks.pages.renderer import PageRenderer

PATH = "/login/slack"
_OVER = "This link was used, or its time is up. Type the command in Slack again."

log = structlog.get_logger()


class SlackLogin:
    """The two routes; what goes wrong is said on the page of `login`, and counts there like a wrong token."""

    def __init__(self, access: Access, renderer: PageRenderer, login: Login) -> None:
        self._access = access
        self._renderer = renderer
        self._mistake, self._failures = login.form, login.failures

    def routes(self) -> list[Route]:
        """What to mount."""
        return [
            Route(PATH, self.show, methods=["GET"]),
            Route(PATH, self.log_in, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """As whom the link logs in, and the button; nothing is used up."""
        ticket = request.query_params.get("ticket", "")
        login = self._access.ticket_login(ticket)
        if login is None:
            return self._refuse(request)
        return self._renderer.page("slack_login.html", login=login, ticket=ticket)

    async def log_in(self, request: Request) -> Response:
        """A session, for a ticket that was not used yet."""
        try:
            fields = await fields_of(request, longest=LONGEST_FORM)
        except FormUnreadable:
            fields = {}
        if not self._access.is_own_form(request):
            return self._mistake(403, "/", "This form was sent from another site.")
        if self._failures.too_many(request.client.host if request.client else ""):
            return self._mistake(429, "/", "Too many logins failed. Wait a minute, then try again.")
        try:
            login = await self._access.use_ticket(fields.get("ticket", ""))
            if login is None:
                return self._refuse(request)
            cookie = await self._access.login_person(login, **about(request))
        except RetryLater as later:
            log.warning("login.later", why=str(later))
            return self._mistake(
                503, "/", "This cannot be asked now. Type the command in Slack again in a moment."
            )
        if cookie is None:
            return self._mistake(
                403, "/", f"{login} may run nothing here, and no yes is theirs, so there is nothing to see."
            )
        log.info("login.person", login=login)
        response = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
        self._access.keep(response, cookie)
        return response

    def _refuse(self, request: Request) -> Response:
        self._failures.add(request.client.host if request.client else "")
        return self._mistake(403, "/", _OVER)
