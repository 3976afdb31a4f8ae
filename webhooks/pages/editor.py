"""Pages on which admins create, change and remove jobs of the API: by the functions of the API itself."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from bot import config
from bot.access import scopes
from bot.catalog.catalog import Job
from bot.catalog.parameters import Kind
from bot.config import Wrong
from bot.config.yamltext import yaml_text
from bot.errors import AskerError, Unmet
from bot.handlers.authorization import RequestContext
from bot.registry import Entry
from bot.store import Session, history, versions
from bot.tables import JobVersion
from bot.text.names import job_name
from webhooks.access import Visitor
from webhooks.pages import definitions, drafts
from webhooks.pages.drafts import Draft
from webhooks.pages.key_list import job_keys
from webhooks.pages.parts import Pages, missing

T = TypeVar("T")

Fields = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is said of a draft besides its mistakes; `changed` is what it changes, line by line."""

    name_mistake: str = ""
    words: str = ""
    changed: Sequence[str] | None = None
    theirs: Sequence[str] = field(default=())
    newest: JobVersion | None = None


class JobEditor:
    """For others than admins there are no such pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._changes = pages.job_changes
        self._turn = asyncio.Semaphore(1)

    async def new(self, request: Request, visitor: Visitor) -> Response:
        """The form of a job that is to be."""
        if not _may_change(visitor):
            return missing(self._pages, visitor)
        return await self._form(visitor, Draft("", drafts.EXAMPLE), new=True)

    async def edit(self, request: Request, visitor: Visitor) -> Response:
        """The form of a job; one of the file is only shown, with where it stands."""
        entry = self._pages.registry.entry(request.path_params["name"])
        if not _may_change(visitor) or entry is None:
            return missing(self._pages, visitor)
        text = await self._apart(_text_of, entry.job)
        if not entry.is_fixed:
            return await self._form(visitor, Draft(entry.job.name, text, entry.row.version))
        return self._pages.renderer.page(
            "job_of_file.html",
            name=entry.job.name,
            path=_path(entry.job.name),
            place=self._pages.registry.config.place_of(entry.job.name),
            origin=self._pages.registry.origin(entry),
            text=text,
            visitor=visitor,
        )

    async def create(self, request: Request, context: RequestContext, fields: Fields) -> Response | str:
        """Makes a job of a name that is free."""
        visitor = await self._admit(request)
        name = fields.get("name", "").strip()
        draft = await self._apart(drafts.draft_of, fields, name)
        draft = replace(draft, version=None)
        try:
            job_name(name)
        except ValueError as error:
            return await self._form(visitor, draft, _Shown(name_mistake=f"{error}"), new=True, status=422)
        return await self._save(visitor, context, draft, fields, new=True)

    async def change(self, request: Request, context: RequestContext, fields: Fields) -> Response | str:
        """Saves a definition, unless somebody else changed the job since it was shown."""
        visitor = await self._admit(request)
        draft = await self._apart(drafts.draft_of, fields, request.path_params["name"])
        return await self._save(visitor, context, draft, fields, new=False)

    async def removal(self, request: Request, visitor: Visitor) -> Response:
        """Asks whether the job is to go, with its history."""
        if not _may_change(visitor):
            return missing(self._pages, visitor)
        return await self._removal(visitor, request.path_params["name"])

    async def remove(self, request: Request, context: RequestContext, fields: Fields) -> Response | str:
        """Removes the job with its history; one that is gone already is gone."""
        visitor = await self._admit(request)
        name, version = request.path_params["name"], fields.get("version", "")
        try:
            removed = await self._changes.remove(
                name,
                actor=context.actor,
                expected=lambda current: version == ("" if current is None else str(current)),
            )
        except Unmet:
            await self._pages.registry.refresh()
            words = "Somebody changed it meanwhile; look at it before it goes."
            return await self._removal(visitor, name, words)
        if not removed and not self._pages.registry.was_removed(name):
            raise LookupError(name)
        return "/jobs"

    async def _apart(self, work: Callable[..., T], *values: object) -> T:
        """Do it beside the event loop, one such thing at a time: reading YAML takes a while."""
        async with self._turn:
            return await asyncio.to_thread(work, *values)

    async def _admit(self, request: Request) -> Visitor:
        """Who asks, if they may; `LookupError` for all others, since there is nothing here for them."""
        visitor: Visitor = request.state.visitor
        if not _may_change(visitor):
            raise LookupError("not an admin")
        if visitor.login is not None and not await self._pages.is_admin(visitor.login):
            raise LookupError("no admin any more")
        return visitor

    async def _save(
        self, visitor: Visitor, context: RequestContext, draft: Draft, fields: Fields, *, new: bool
    ) -> Response | str:
        registry, name = self._pages.registry, draft.name
        try:
            definition = await self._apart(drafts.definition_of, draft)
            if fields.get("do") == "check":
                job = config.job_of(definition, name, registry.config, registry.catalog.jobs)
                entry = registry.entry(name)
                changed = await self._apart(_compared, None if entry is None else entry.job, job)
                return await self._form(visitor, draft, _Shown(changed=changed), new=new)
            await self._changes.put(
                name, definition, actor=context.actor, expected=lambda current: current == draft.version
            )
        except Unmet:
            return await self._conflict(visitor, draft, definition, new=new)
        except Wrong as error:
            mistakes = await self._apart(drafts.mistakes_of, draft, error)
            return await self._form(visitor, replace(draft, mistakes=mistakes), new=new, status=422)
        except AskerError as error:
            return await self._form(visitor, draft, _Shown(words=str(error)), new=new, status=409)
        return f"{_path(name)}/definition"

    async def _conflict(
        self, visitor: Visitor, draft: Draft, definition: bytes, *, new: bool
    ) -> Response | str:
        """Somebody was faster: what they changed, and what saving this would change now.

        Where they did the same, as somebody does who sends a form twice, all is done.
        """
        pages, name = self._pages, draft.name
        await pages.registry.refresh()
        entry = pages.registry.entry(name)
        job = config.job_of(definition, name, pages.registry.config, pages.registry.catalog.jobs)
        if entry is not None and entry.job == job:
            return f"{_path(name)}/definition"
        if new:
            words = f"There is a job called {name} already."
            return await self._form(visitor, draft, _Shown(name_mistake=words), new=True, status=409)

        def read(session: Session) -> JobVersion | None:
            before = None if draft.version is None else draft.version + 1
            rows = versions.page(session, name, limit=1, before=before)
            return rows[0] if rows and rows[0].version == draft.version else None

        base = await pages.store.read(read)
        theirs, changed = await self._apart(_both, base, entry, job)
        shown = _Shown(changed=changed, theirs=theirs, newest=None if entry is None else entry.row)
        words = "was removed" if entry is None else "was changed"
        shown = replace(shown, words=f"{name} {words} by somebody else meanwhile. Nothing was saved.")
        draft = replace(draft, version=None if entry is None else entry.row.version)
        return await self._form(visitor, draft, shown, status=409)

    async def _form(
        self,
        visitor: Visitor,
        draft: Draft,
        shown: _Shown | None = None,
        *,
        new: bool = False,
        status: int = 200,
    ) -> Response:
        fields = await self._apart(lambda: draft.fields)
        return self._pages.renderer.page(
            "job_edit.html",
            status,
            draft=draft,
            fields=fields,
            keys=job_keys(),
            kinds=get_args(Kind),
            images=sorted(self._pages.registry.catalog.images),
            shown=shown or _Shown(),
            path="/new" if new else f"{_path(draft.name)}/edit",
            job_path=None if new else _path(draft.name),
            visitor=visitor,
        )

    async def _removal(self, visitor: Visitor, name: str, words: str = "") -> Response:
        registry = self._pages.registry
        entry = registry.entry(name)
        lost = entry is None and name in registry.removed and not registry.was_removed(name)
        if entry is None and not lost:
            return missing(self._pages, visitor)
        return self._pages.renderer.page(
            "job_removal.html",
            409 if words else 200,
            name=name,
            path=_path(name),
            entry=entry,
            place=registry.config.place_of(name),
            origin=None if entry is None else registry.origin(entry),
            words=words,
            active=await self._pages.store.read(lambda session: history.is_active(session, name)),
            visitor=visitor,
        )


def _may_change(visitor: Visitor) -> bool:
    return visitor.how != "link" and scopes.may_change(visitor.scopes)


def _path(name: str) -> str:
    return f"/jobs/{quote(name, safe='')}"


def _text_of(job: Job | None) -> str:
    """The definition as YAML; one that is too long for pages as JSON, which is YAML and soon made."""
    definition = {} if job is None else config.definition(job)
    plain = json.dumps(definition, indent=2, ensure_ascii=False)
    return plain if len(plain) > drafts.LONGEST else yaml_text(definition)


def _lines_of(job: Job | None) -> list[str]:
    return _text_of(job).splitlines()


def _compared(old: Job | None, new: Job) -> list[str]:
    return definitions.compared(_lines_of(old), _lines_of(new))


def _both(base: JobVersion | None, entry: Entry | None, job: Job) -> tuple[list[str], list[str]]:
    """What they changed since `base`, and what `job` would change of that."""
    now = None if entry is None else entry.job
    try:
        old = Job.model_validate(base.definition) if base is not None and base.definition else None
    except ValueError:
        old = None
    theirs = [] if old is None else definitions.compared(_lines_of(old), _lines_of(now))
    return theirs, _compared(now, job)
