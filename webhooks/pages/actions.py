"""What people do on pages, by plain forms, which need no JavaScript.

A form is taken from our own pages only, as the browser says (`Access.is_own_form`); the cookie alone proves
nothing, since browsers send it along with whatever leads here.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.commands import parser
from bot.errors import AskerError, RetryLater
from bot.handlers.authorization import RequestContext
from bot.handlers.journal import refused_by
from bot.handlers.page_actions import PageActions
from bot.handlers.rerun import RerunRequest
from bot.messages.text import clean
from bot.states import Cause
from bot.text import units
from webhooks.access import Visitor
from webhooks.pages.forms import FormUnreadable, fields_of
from webhooks.pages.login import Login
from webhooks.pages.parts import Pages, message, missing, number_of

REASON = 500
"""Characters of why somebody says no."""

Fields = dict[str, str]
Action = Callable[[Request, RequestContext, Fields], Awaitable[Response | str]]
"""Does it; gives the path of the page that shows what came of it, or a page.

`request.state.visitor` is who asks.
"""


class ActionPages:
    """The actions; each raises `AskerError` with what there is to say instead."""

    def __init__(self, actions: PageActions) -> None:
        self._actions = actions

    async def rerun(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Repeats a run exactly, or by today's definition."""
        repeat = RerunRequest({}, fields.get("latest") == "true")
        run = await self._actions.repeat(context, number_in(request), repeat)
        return f"/runs/{run.number}"

    async def cancel(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Stops a run."""
        number = number_in(request)
        await self._actions.perform(context, parser.Cancel(number=number))
        return f"/runs/{number}"

    async def approve(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Says yes to a run that waits for that."""
        number = number_in(request)
        await self._actions.perform(context, parser.Approve(number))
        return f"/runs/{number}"

    async def deny(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Says no to it, and why."""
        number, why = number_in(request), fields.get("why", "").strip()
        await self._actions.perform(context, parser.Deny(number, clean(why, REASON) or None))
        return f"/runs/{number}"

    async def lock(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Closes a lock or a job, for all others or for everyone; the first page shows locks."""
        reason, duration = _reason(fields.get("why", "")), fields.get("duration", "").strip()
        command = parser.Lock(
            _target(fields),
            reason,
            _seconds(duration) if duration else None,
            everyone=fields.get("everyone") == "true",
        )
        await self._actions.perform(context, command)
        return "/#locks"

    async def unlock(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Opens what somebody closed."""
        await self._actions.perform(context, parser.Unlock(_target(fields)))
        return "/#locks"

    async def pause_all(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Holds all schedules back; the first page shows that."""
        reason, duration = _reason(fields.get("reason", "")), fields.get("duration", "").strip()
        command = parser.PauseAll(None, _seconds(duration) if duration else None, reason)
        await self._actions.perform(context, command)
        return "/#next"

    async def resume_all(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Lets them go on."""
        await self._actions.perform(context, parser.ResumeAll())
        return "/#next"


def _target(fields: Fields) -> str:
    found = fields.get("target", "").strip()
    if "\0" in found:  # which PostgreSQL refuses to look for
        raise LookupError("no target")
    if not found:
        raise AskerError("Say which lock or job is meant.")
    return found


def _reason(written: str) -> str | None:
    found = written.strip()
    if not found.isprintable():
        raise AskerError("A reason is of printable characters.")
    return found or None


def _seconds(duration: str) -> float:
    try:
        found = units.seconds(duration)
    except ValueError:
        found = 0.0
    if found <= 0:
        raise AskerError("Expected a duration such as `30m`, `2h` or `1d`.")
    return found


def acting(pages: Pages, login: Login, action: Action) -> Callable[[Request], Awaitable[Response]]:
    """First who asks and from where, only then what for."""

    async def act(request: Request) -> Response:
        visitor = None
        try:
            visitor = await pages.access.visitor(request)
            if visitor is None or visitor.how == "link":
                return login.ask(request)
            if visitor.how == "session" and not pages.access.is_own_form(request):
                return message(pages, 403, "Not from here", "This form was sent from another site.", visitor)
            fields = await fields_of(request)
            context = pages.actions.context(visitor.login, visitor.caller, fields.get("key", ""))
            request.state.visitor = visitor
            answer = await action(request, context, fields)
            if isinstance(answer, Response):
                return answer
            return RedirectResponse(answer, 303, {"Cache-Control": "no-store"})
        except FormUnreadable as error:
            return message(pages, 400, "Not read", str(error))
        except LookupError:
            return missing(pages, visitor) if visitor else login.ask(request)
        except AskerError as error:
            if visitor is not None and (rule := refused_by(error)) is not None:
                await _tell(pages, request, visitor, rule)
            return pages.renderer.page(
                "refused.html", 409, words=str(error), visitor=visitor, back=_back(request)
            )
        except RetryLater:
            response = message(pages, 503, "Not now", "This cannot be asked now. Try again in a moment.")
            response.headers["Retry-After"] = "5"
            return response

    return act


async def _tell(pages: Pages, request: Request, visitor: Visitor, rule: str) -> None:
    """Tell the journal that somebody was not allowed to do what the path is about."""
    actor, path = visitor.caller.name, request.url.path
    job = path.split("/")[2] if path.startswith("/jobs/") else None
    row = pages.refusals.entry(actor, f"page:{path}", rule, cause=Cause.PAGE, job=job)
    await pages.refusals.tell(row)


def number_in(request: Request) -> int:
    """The number in the path; `LookupError` where that is none."""
    number = number_of(request.path_params["number"])
    if number is None:
        raise LookupError("no number")
    return number


def _back(request: Request) -> str:
    """The page that what the form was about is on: of a job or a run its own, of the others their list."""
    _, kind, *rest = request.url.path.split("/")
    if kind in ("jobs", "runs"):
        return f"/{kind}/{rest[0]}"
    return f"/{kind}" if len(rest) > 1 else "/"
