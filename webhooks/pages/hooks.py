"""The page of what else may start a job, and how admins make and end its deploy hooks there.

The token of a hook is in the answer to the form that makes it, and nowhere else.
"""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.access import scopes
from bot.handlers.authorization import RequestContext
from bot.registry import Entry
from bot.store import hooks
from webhooks.access import Visitor
from webhooks.api.bodies import checked
from webhooks.api.grant_responses import NewHook
from webhooks.api.problems import Problem
from webhooks.api.requests import HookRequest
from webhooks.pages import definitions
from webhooks.pages.actions import Fields
from webhooks.pages.admins import require_admin
from webhooks.pages.job_parts import head_of
from webhooks.pages.parts import Pages, missing


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of the form: a hook with its token, or what is wrong with the name that was typed."""

    made: NewHook | None = None
    typed: str = ""
    mistake: str = ""
    status: int = 200


class HookPages:
    """Whoever gets here sees the job, unless it is none that they may see; hooks are for admins."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """What starts the job besides people, and what a run of it has to wait for or fulfil."""
        entry = self._entry(request, visitor)
        if entry is None:
            return missing(self._pages, visitor)
        return await self._page(entry, visitor, _Answer())

    async def list(self, request: Request, visitor: Visitor) -> Response:
        """Leads whoever opens the address of the form to its page."""
        return RedirectResponse(_list(request.path_params["name"]), 303, {"Cache-Control": "no-store"})

    async def create(self, request: Request, context: RequestContext, fields: Fields) -> Response:
        """Makes a hook, and shows its token this once."""
        entry, visitor = await self._admit(request)
        job, name = entry.job.name, fields.get("name", "").strip()
        try:
            wish = checked(HookRequest, {"job": job, "name": name})
            made = await self._pages.hook_changes.create(job, wish.name, by=context.actor)
        except Problem as problem:
            return await self._page(entry, visitor, _Answer(None, name, _mistake(problem), 422))
        except ValueError as error:
            return await self._page(entry, visitor, _Answer(None, name, str(error), 409))
        return await self._page(entry, visitor, _Answer(made, status=201))

    async def removal(self, request: Request, visitor: Visitor) -> Response:
        """Asks whether a hook is to go."""
        entry = self._entry(request, visitor)
        if entry is None or not scopes.may_change(visitor.scopes):
            return missing(self._pages, visitor)
        found = await self._pages.store.read(lambda s: hooks.list(s, job=entry.job.name))
        hook = next((each for each in found if each.name == request.path_params["hook"]), None)
        if hook is None:
            return missing(self._pages, visitor)
        head = head_of(self._pages.registry, entry.job.name, "rules")
        return self._pages.renderer.page("hook_removal.html", hook=hook, head=head, visitor=visitor)

    async def remove(self, request: Request, context: RequestContext, fields: Fields) -> str:
        """Ends a hook at once; one that is gone already is gone."""
        entry, _ = await self._admit(request)
        await self._pages.hook_changes.delete(entry.job.name, request.path_params["hook"], by=context.actor)
        return _list(entry.job.name)

    async def _page(self, entry: Entry, visitor: Visitor, answer: _Answer) -> Response:
        pages, job = self._pages, entry.job
        is_admin = scopes.may_change(visitor.scopes)
        found = await pages.store.read(lambda s: hooks.list(s, job=job.name)) if is_admin else ()
        return pages.renderer.page(
            "job_rules.html",
            answer.status,
            head=head_of(pages.registry, job.name, "rules"),
            job=job,
            rules=definitions.rules(job),
            hooks=found,
            is_admin=is_admin,
            answer=answer,
            url=pages.url,
            visitor=visitor,
        )

    async def _admit(self, request: Request) -> tuple[Entry, Visitor]:
        """The job and who asks, if they may."""
        visitor: Visitor = request.state.visitor
        entry = self._entry(request, visitor)
        if entry is None:
            raise LookupError("no job that they see")
        await require_admin(self._pages, visitor)
        return entry, visitor

    def _entry(self, request: Request, visitor: Visitor) -> Entry | None:
        name = request.path_params["name"]
        hidden = visitor.jobs is not None and name not in visitor.jobs
        return None if hidden else self._pages.registry.entry(name)


def _list(job: str) -> str:
    return f"/jobs/{quote(job, safe='')}/rules#hooks"


def _mistake(problem: Problem) -> str:
    """What the API says of the field, as a sentence."""
    errors = problem.extra["errors"]
    words = str(errors[0]["detail"]) if isinstance(errors, list) else problem.detail
    return f"{words[:1].upper()}{words[1:]}."
