"""The Run tab of a job: a form of its parameters, a preview of what it would do, and the start itself."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.catalog.inputs import PARAMETER
from bot.catalog.requirements import code_of
from bot.commands import parser
from bot.errors import AskerError, Frozen, Missing, NotAllowed, Refused, RetryLater, Unfit
from bot.handlers.authorization import RequestContext
from bot.handlers.conditions import Conditions
from bot.handlers.entries import Entry, FormText, check_entry
from bot.handlers.orders import standing_tag
from bot.handlers.repeats import fingerprint
from bot.handlers.repetitions import in_place, ref_of, repetition, tag_of
from bot.handlers.rerun import RerunRequest
from bot.messages import waits
from bot.messages.overlaps import overlap
from bot.store import Session, runs
from bot.tables import Run
from bot.text import units
from webhooks.access import Visitor
from webhooks.pages.definitions import approval_of
from webhooks.pages.job_parts import head_of
from webhooks.pages.parts import Pages, missing, number_of
from webhooks.pages.run_fields import form_text, run_fields, strays

FROM = "from"
"""The field with the number of the run whose values the form was filled in with."""

_AWAY = "GitHub does not answer, so the commit is not known; try again soon."


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is in the form, and what is said of it. `words` and `preview` are Markdown, `when` as typed."""

    text: FormText
    repeated: Run | None = None
    mistakes: Mapping[str, str] = field(default_factory=dict)
    words: str | None = None
    preview: str | None = None
    fresh: bool = False
    override: str = ""
    when: Mapping[str, str] = field(default_factory=dict)


class RunForm:
    """Whoever sees the job sees what it takes; the form itself is for those who may run it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The form, filled in with defaults or, with `?from=N`, with what that run had."""
        name = request.path_params["name"]
        job = self._pages.registry.catalog.jobs.get(name)
        if job is None or (visitor.jobs is not None and name not in visitor.jobs):
            return missing(self._pages, visitor)
        image = self._image(job)
        shown = _Shown(FormText(), fresh=True)
        if FROM in request.query_params:
            number = number_of(request.query_params[FROM])
            old = None if number is None else await self._pages.store.read(lambda s: runs.get(s, number))
            if old is None or old.job != name:
                return missing(self._pages, visitor)
            shown = _Shown(_text_of(old, image), old, fresh=True)
        return await self._render(job, visitor, shown)

    async def submit(
        self, request: Request, context: RequestContext, fields: dict[str, str]
    ) -> Response | str:
        """Starts the job, or shows what that would do; all mistakes at their fields (422)."""
        name, visitor = request.path_params["name"], request.state.visitor
        await self._pages.actions.admit(context, name)
        job = self._pages.registry.catalog.job(name)
        image, text = self._image(job), form_text(job, fields)
        entry, why = check_entry(job, image, text), fields.get("override", "").strip()
        when, mistakes = _when(fields)
        start = replace(entry.request, override=why or None, **when)
        entry = replace(entry, request=start, mistakes={**entry.mistakes, **mistakes})
        typed = {each: fields.get(each, "") for each in ("at", "delay")}
        old = await self._repeated(context, job, fields)
        typing = _Shown(text, old, override=why, when=typed)
        if entry.mistakes:
            return await self._render(job, visitor, replace(typing, mistakes=entry.mistakes), 422)
        try:
            if fields.get("do") == "preview":
                preview = await self._preview(context, job, entry, old)
                return await self._render(job, visitor, replace(typing, preview=preview))
            run = await self._start(context, job, entry, old)
        except Frozen as error:
            return await self._render(job, visitor, replace(typing, words=str(error)), 409)
        except NotAllowed:
            raise
        except AskerError as error:
            mistakes = _placed(error)
            shown = replace(typing, mistakes=mistakes, words=None if mistakes else str(error))
            return await self._render(job, visitor, shown, 422 if mistakes else 409)
        except (RetryLater, Refused):
            return await self._render(job, visitor, replace(typing, words=_AWAY), 503)
        return f"/runs/{run.number}"

    async def _start(self, context: RequestContext, job: Job, entry: Entry, old: Run | None) -> Run:
        """The run; the same form sent twice gives it again, and one that says something else another."""
        request = entry.request
        content = {
            "parameters": dict(request.parameters),
            "arguments": request.arguments,
            "ref": request.ref,
            "image_tag": request.image_tag,
            "from": None if old is None else old.number,
            **({"override": request.override} if request.override else {}),
            "at": request.at,
            "delay": request.delay,
        }
        context = replace(context, key=f"{context.key}:{fingerprint('start', job.name, content)[:16]}")
        actions = self._pages.actions
        if old is None:
            return await actions.start(context, job.name, request)
        command = repetition(job, old, request, tag_of(old, self._image(job)))
        if request.at is not None or request.delay is not None:
            raise AskerError("What ran before is repeated at once; begin the form anew to start it later.")
        if isinstance(command, parser.Rerun):
            return await actions.repeat(
                context, old.number or 0, RerunRequest(command.parameters, override=request.override)
            )
        if isinstance(command, parser.Run):
            request = replace(
                request,
                parameters=command.parameters,
                arguments=command.arguments,
                ref=command.ref,
                image_tag=command.image_tag,
            )
        return await actions.start(context, job.name, request)

    async def _preview(self, context: RequestContext, job: Job, entry: Entry, old: Run | None) -> str:
        """What `plan` says; of a run that is repeated, on the very commit of that."""
        request, note = entry.request, ""
        if old is not None:
            tag = tag_of(old, self._image(job))
            request = in_place(old, request, tag) or request
            again = isinstance(repetition(job, old, entry.request, tag), parser.Rerun)
            if again and old.definition != job.model_dump(mode="json"):
                note = f"\n\nIt is run by the definition that #{old.number} had, which has changed since."
        parts = (dict(request.parameters), request.ref, request.image_tag, request.arguments)
        command = parser.Plan(job.name, *parts, entry.request.override)
        return await self._pages.actions.plan(context, command) + note

    async def _repeated(self, context: RequestContext, job: Job, fields: Mapping[str, str]) -> Run | None:
        number = number_of(fields.get(FROM, ""))
        if number is None:
            return None
        old = await self._pages.actions.find(context, number)
        if old.job != job.name:
            raise Missing(f"#{number} is no run of this job.")
        return old

    def _image(self, job: Job) -> Image | None:
        return self._pages.registry.catalog.images.get(job.image or "")

    async def _render(self, job: Job, visitor: Visitor, shown: _Shown, status: int = 200) -> Response:
        pages, image = self._pages, self._image(job)
        catalog, now = pages.registry.catalog, pages.clock()
        context = pages.actions.context(visitor.login, visitor.caller, "")

        def read(session: Session) -> tuple[Conditions, str | None]:
            tag = standing_tag(session, job, catalog.images)
            return pages.actions.conditions(session, context, job, now), None if tag is None else tag.tag

        conditions, standing = await pages.store.read(read)
        fields = run_fields(job, image, shown.text, shown.mistakes, fresh=shown.fresh)
        return pages.renderer.page(
            "job_run.html",
            status,
            head=head_of(pages.registry, job.name, "run"),
            job=job,
            fields=fields,
            wrong=[each for each in fields if each.mistake],
            strays=strays(fields, shown.mistakes),
            shown=shown,
            image=image,
            repository=catalog.repository_of(job),
            zone=job.schedules[0].timezone if job.schedules else "UTC",
            standing=standing,
            requires=list(dict.fromkeys(code_of(each) for each in job.requires)),
            overlap=overlap(job.concurrency),
            approval=approval_of(job),
            conditions=conditions,
            may_be_overridden=bool(pages.registry.config.override),
            waiting=None if conditions.waiting is None else waits.words(conditions.waiting),
            passed=None if conditions.passed is None else waits.passed(conditions.passed),
            visitor=visitor,
        )


def _text_of(run: Run, image: Image | None) -> FormText:
    return FormText(run.parameters, ref_of(run), tag_of(run, image), shlex.join(run.arguments))


def _placed(error: AskerError) -> dict[str, str]:
    """What is wrong by its field, where the answer says where."""
    mistakes: Sequence[tuple[tuple[str, ...], str]] = error.mistakes if isinstance(error, Unfit) else ()
    return {
        f"{PARAMETER}{place[1]}" if place[0] == "parameters" else place[0]: what for place, what in mistakes
    }


def _when(fields: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """When the run is to start, and what is wrong with that, by field."""
    at, delay = fields.get("at", "").strip(), fields.get("delay", "").strip()
    if at and delay:
        return {}, {"delay": "Either at a time, or after a while."}
    if not delay:
        return {"at": at or None}, {}
    try:
        seconds = units.seconds(delay)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        return {}, {"delay": "Expected a duration such as `30m`, `2h` or `1d`."}
    return {"delay": seconds}, {}
