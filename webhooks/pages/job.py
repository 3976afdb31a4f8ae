"""The pages of one job: its history, its schedule and its definition."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.catalog.freezes import Subject
from bot.commands import parser
from bot.errors import AskerError, Missing, NotAllowed, Unfit
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import standing_tag
from bot.messages.freezes import frozen as why_frozen
from bot.messages.text import clean
from bot.registry import Entry
from bot.store import Session, backfills, freezes, runs, series, versions
from bot.tables import ImageTag, Run
from bot.text import units
from webhooks import schedules
from webhooks.access import Visitor
from webhooks.api import responses
from webhooks.pages import charts, definitions
from webhooks.pages.job_parts import head_of
from webhooks.pages.parts import Pages, missing, number_of
from webhooks.view import run_summary

RECENT = 30
"""Runs on each page of a job's history."""
GOING = 5
"""Backfills under way that it shows."""
COMING = 10
"""Times to come that the page of a schedule shows."""
VERSIONS = 20
"""Versions on each page of a job's definition."""

_JobPage = tuple[list[Run], list[series.EndedRun], Sequence[schedules.Schedule], ImageTag | None]
"""The runs that are listed, those that are drawn, and what the first page shows besides."""
_SchedulePage = tuple[
    Sequence[schedules.Schedule], Sequence[schedules.Start], Mapping[float, str], Sequence[Run]
]
"""The schedules, the times to come, why nothing starts at some of those, and the backfills under way."""


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What was typed into the form of a pause, and what is wrong by field or in `words` (Markdown)."""

    typed: Mapping[str, str] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)
    words: str | None = None


class JobPages:
    """Whoever gets here sees what they show, unless the job is none that they may see."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages

    async def history(self, request: Request, visitor: Visitor) -> Response:
        """The runs of one job, newest first; the first page also has its schedule and its chosen tag."""
        name = request.path_params["name"]
        if not visitor.sees(name) and name in visitor.approves:
            return RedirectResponse(f"{head_of(self._pages.registry, name, '').path}/definition", 303)
        if not visitor.sees(name) or "\0" in name:  # which PostgreSQL refuses to look for
            return missing(self._pages, visitor)
        before = number_of(request.query_params.get("before", ""))
        registry = self._pages.registry
        entry = registry.entry(name) if before is None else None

        last = charts.length(request.query_params.get("last"))

        def read(session: Session) -> _JobPage:
            page = runs.page(session, job=name, limit=RECENT + 1, before=before)
            drawn = [] if before is not None else series.ended(session, name, limit=last)
            if entry is None:
                return page, drawn, (), None
            coming = schedules.of(session, entry.job, now=self._pages.clock())
            return page, drawn, coming, standing_tag(session, entry.job, registry.catalog.images)

        page, drawn, coming, tag = await self._pages.store.read(read)
        if not page and name not in registry.descriptions:
            return missing(self._pages, visitor)
        more = page[RECENT - 1].number if len(page) > RECENT else None
        return self._pages.renderer.page(
            "job.html",
            head=head_of(registry, name, ""),
            name=name,
            lost=entry is None
            and before is None
            and name in registry.removed
            and not registry.was_removed(name),
            runs=[run_summary(run) for run in page[:RECENT]],
            starters=entry.job.starters if entry else (),
            schedules=coming,
            chart=charts.chart(drawn, last),
            tag=responses.ChosenTag.of_tag(tag) if tag else None,
            more=more,
            before=before,
            visitor=visitor,
        )

    async def schedule(self, request: Request, visitor: Visitor) -> Response:
        """When the job runs by itself, and the forms that hold it back."""
        entry = self._entry(request, visitor)
        if entry is None or not entry.job.schedules:
            return missing(self._pages, visitor)
        return await self._schedule(entry, visitor)

    async def pause(
        self, request: Request, context: RequestContext, fields: dict[str, str]
    ) -> Response | str:
        """Holds the schedule back: until a time, for some time, or until somebody lets it go on."""
        job = request.path_params["name"]
        await self._pages.actions.admit(context, job)
        typed = {name: fields.get(name, "").strip() for name in ("until", "duration", "schedule")}
        mistakes, seconds = _pause_mistakes(typed["until"], typed["duration"])
        if mistakes:
            return await self._refused(request, _Refusal(typed, mistakes))
        command = parser.Pause(job, typed["until"] or None, seconds, typed["schedule"] or None)
        return await self._change(request, context, command, typed)

    async def resume(
        self, request: Request, context: RequestContext, fields: dict[str, str]
    ) -> Response | str:
        """Lets the schedule go on."""
        return await self._change(request, context, parser.Resume(*_schedule(request, fields)))

    async def skip(self, request: Request, context: RequestContext, fields: dict[str, str]) -> Response | str:
        """Leaves out the next time."""
        return await self._change(request, context, parser.Skip(*_schedule(request, fields)))

    async def backfill(
        self, request: Request, context: RequestContext, fields: dict[str, str]
    ) -> Response | str:
        """Runs the job for due moments that have passed."""
        job, schedule = _schedule(request, fields)
        await self._pages.actions.admit(context, job)
        typed = {name: fields.get(name, "").strip() for name in ("from", "to", "schedule")}
        if not typed["from"]:
            return await self._refused(request, _Refusal(typed, words="From when is missing."))
        again = fields.get("again") == "true"
        command = parser.Backfill(job, typed["from"], typed["to"] or None, schedule, again)
        return await self._change(request, context, command, typed)

    async def _change(
        self,
        request: Request,
        context: RequestContext,
        command: parser.Command,
        typed: Mapping[str, str] | None = None,
    ) -> Response | str:
        try:
            await self._pages.actions.perform(context, command)
        except (NotAllowed, Missing):
            raise
        except Unfit as error:
            if isinstance(command, parser.Backfill):
                return await self._refused(request, _Refusal(typed or {}, words=str(error)))
            mistakes = {place[0]: what for place, what in error.mistakes}
            return await self._refused(request, _Refusal(typed or {}, mistakes))
        except AskerError as error:
            return await self._refused(request, _Refusal(typed or {}, words=str(error)))
        return f"{head_of(self._pages.registry, request.path_params['name'], '').path}/schedule"

    async def _refused(self, request: Request, refusal: _Refusal) -> Response:
        """The page of the schedule with what is wrong; what cannot be shown there is told by itself."""
        entry = self._pages.registry.entry(request.path_params["name"])
        if entry is None or not entry.job.schedules:
            raise AskerError(refusal.words or "This job has no schedule.")
        return await self._schedule(entry, request.state.visitor, refusal)

    async def _schedule(self, entry: Entry, visitor: Visitor, refusal: _Refusal | None = None) -> Response:
        pages, job = self._pages, entry.job

        def read(session: Session) -> _SchedulePage:
            now, calendar = pages.clock(), pages.registry.config.calendar
            found = schedules.of(session, job, now=now, count=COMING)
            starts = schedules.coming(found, COMING)
            subject, moments = Subject(job.name, job.locks), [start.at for start in starts]
            frozen = freezes.foreseen(session, calendar, subject, moments, now=now)
            going = backfills.going(session, job.name, limit=GOING)
            return found, starts, {at: why_frozen(why, clean) for at, why in frozen.items()}, going

        found, starts, frozen, going = await pages.store.read(read)
        status = 200 if refusal is None else 422 if refusal.mistakes else 409
        return pages.renderer.page(
            "job_schedule.html",
            status,
            head=head_of(pages.registry, job.name, "schedule"),
            job=job,
            schedules=found,
            starts=starts,
            frozen=frozen,
            due=schedules.was_due(found),
            backfills=[run_summary(run) for run in going],
            at_once=not any(each.required for each in job.parameters.values()),
            refusal=refusal or _Refusal(),
            visitor=visitor,
        )

    async def definition(self, request: Request, visitor: Visitor) -> Response:
        """What the job is, and what it was: its versions with their differences.

        Also for who may do no more with it than say yes.
        """
        entry = self._entry(request, visitor, to_approve=True)
        if entry is None:
            return missing(self._pages, visitor)
        pages, name = self._pages, entry.job.name
        before = number_of(request.query_params.get("before", ""))
        rows = await pages.store.read(lambda s: versions.page(s, name, limit=VERSIONS + 1, before=before))
        changes = await asyncio.to_thread(definitions.history, rows, VERSIONS)
        return pages.renderer.page(
            "job_definition.html",
            head=head_of(pages.registry, name, "definition", alone=not visitor.sees(name)),
            job=entry.job,
            row=entry.row,
            from_file=entry.from_file,
            origin=pages.registry.origin(entry),
            line=pages.registry.config.line_of(name),
            image=pages.registry.catalog.images.get(entry.job.image or ""),
            facts=[*definitions.facts(entry.job), *definitions.rules(entry.job)],
            versions=changes,
            before=before,
            more=rows[VERSIONS - 1].version if len(rows) > VERSIONS else None,
            visitor=visitor,
        )

    def _entry(self, request: Request, visitor: Visitor, *, to_approve: bool = False) -> Entry | None:
        name = request.path_params["name"]
        shown = visitor.sees(name) or (to_approve and name in visitor.approves)
        return self._pages.registry.entry(name) if shown else None


def _schedule(request: Request, fields: Mapping[str, str]) -> tuple[str, str | None]:
    """The job and which of its schedules is meant, None for all."""
    return request.path_params["name"], fields.get("schedule", "").strip() or None


def _pause_mistakes(until: str, duration: str) -> tuple[dict[str, str], float | None]:
    """What is wrong with the two fields by themselves, and the seconds that were said."""
    if until and duration:
        return {"duration": "Either until a time, or for some time."}, None
    if not duration:
        return {}, None
    try:
        seconds = units.seconds(duration)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        return {"duration": "Expected a duration such as `30m`, `2h` or `1d`."}, None
    return {}, seconds
