"""The API's half for jobs: what there is, and for admin tokens to change it. See docs/api.md."""

import re
from collections.abc import Callable, Sequence

import structlog
from starlette.requests import Request

from bot.catalog.due import Outlook
from bot.config import Wrong
from bot.handlers.orders import standing_tag
from bot.registry import Expected, Registry
from bot.store import Session, Store, holds, results, runs
from bot.tables import Run
from bot.workers.pruning import Pruning
from webhooks import schedules
from webhooks.api import responses, schedule_responses
from webhooks.api.bodies import content, require_json
from webhooks.api.job_changes import JobChanges
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import Problem, missing, missing_job, required, wrong

AGENDA = 200
"""Starts to come that are told."""

BODY_LIMIT = 1 << 20
"""Bytes of a definition."""

log = structlog.get_logger()

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


class JobHandlers:
    """Whoever gets here may do what they do. Lists have only what the visitor may see."""

    def __init__(
        self, registry: Registry, pruning: Pruning, store: Store, clock: Callable[[], float]
    ) -> None:
        self._registry = registry
        self._pruning = pruning
        self._changes = JobChanges(registry, pruning)
        self._store = store
        self._clock = clock

    async def list_jobs(self, request: ApiRequest) -> responses.Jobs:
        """The jobs there are, by name, with what comes next and the newest run of each."""
        visible = request.visitor.jobs
        entries = [each for each in self._registry.entries() if visible is None or each.job.name in visible]
        jobs, now = [entry.job for entry in entries], self._clock()

        def read(session: Session) -> tuple[dict[str, list[Outlook]], dict[str, Run]]:
            names = [job.name for job in jobs]
            return schedules.outlooks(session, jobs, now=now), results.newest(session, names)

        outlooks, last = await self._store.read(read)
        return responses.Jobs(
            jobs=[
                responses.ListedJob.of_entry(
                    entry,
                    masked=not request.visitor.admin,
                    origin=self._registry.origin(entry),
                    schedule=next(iter(outlooks.get(entry.job.name, ())), None),
                    schedules=outlooks.get(entry.job.name, []),
                    last_run=last.get(entry.job.name),
                )
                for entry in entries
            ]
        )

    async def list_agenda(self, request: ApiRequest) -> schedule_responses.Agenda:
        """What starts next, soonest first: by each schedule, and what people asked for at a moment."""
        visible = request.visitor.jobs
        jobs = [each.job for each in self._registry.entries() if visible is None or each.job.name in visible]
        now = self._clock()

        def read(session: Session) -> tuple[dict[str, list[Outlook]], Sequence[Run]]:
            return schedules.outlooks(session, jobs, now=now), holds.later(session, visible, limit=AGENDA)

        outlooks, later = await self._store.read(read)
        coming = [
            schedule_responses.Coming.of(
                at=each.upcoming[0], job=job, schedule=each.name, run=None, asked_by=None
            )
            for job, several in outlooks.items()
            for each in several
            if each.upcoming
        ]
        coming += [
            schedule_responses.Coming.of(
                at=run.due_at, job=run.job, schedule=None, run=run.number, asked_by=run.actor
            )
            for run in later
        ]
        # Written the same way, moments sort as they come.
        return schedule_responses.Agenda(coming=sorted(coming, key=lambda each: each.at)[:AGENDA])

    async def get_job(self, request: ApiRequest) -> Reply[responses.ScheduledJob]:
        """One job, with what its schedule does."""
        entry = required(self._registry.entry(request.path["name"]), missing_job())
        job, images = entry.job, self._registry.catalog.images
        found, tag, last = await self._store.read(
            lambda s: (
                schedules.of(s, job, now=self._clock()),
                standing_tag(s, job, images),
                results.newest(s, [job.name]),
            )
        )
        shown = [schedule_responses.Schedule.of(each.outlook, ticks=each.ticks) for each in found]
        document = responses.ScheduledJob.of_entry(
            entry,
            masked=not request.visitor.admin,
            origin=self._registry.origin(entry),
            schedule=next(iter(shown), None),
            schedules=shown,
            last_run=last.get(job.name),
            image_tag=None if tag is None else responses.ChosenTag.of_tag(tag),
        )
        return Reply(document, headers=_etag(document.version))

    async def put_job(self, request: ApiRequest) -> Reply[responses.DefinedJob]:
        """Creates or changes a job."""
        name, changes = request.path["name"], self._changes
        require_json(request.http)
        expected = _expected(request.http)
        changes.require_changeable(name)
        definition = await content(request.http, limit=BODY_LIMIT, what="A definition")
        actor = request.visitor.caller.name
        try:
            entry, created = await changes.put(name, definition, actor=actor, expected=expected)
        except Wrong as error:
            raise wrong(error.mistakes, "definition") from None
        document = responses.DefinedJob.of_entry(entry, origin=None)
        return Reply(document, 201 if created else 200, f"/api/jobs/{name}", _etag(entry.row.version))

    async def delete_job(self, request: ApiRequest) -> None:
        """Removes a job with its history."""
        name, actor = request.path["name"], request.visitor.caller.name
        if not await self._changes.remove(name, actor=actor, expected=_expected(request.http)):
            raise missing_job()

    async def delete_run(self, request: ApiRequest) -> None:
        """Removes a finished run with its logs."""
        number = request.number
        run = required(await self._store.read(lambda s: runs.get(s, number)), missing("runs", number))
        await self._pruning.remove_run(run, request.visitor.caller.name)


def _etag(version: int) -> dict[str, str]:
    return {"ETag": f'"{version}"'}


def _expected(request: Request) -> Expected:
    """What `If-Match` and `If-None-Match` (RFC 9110, 13.1) say that the job has to be."""
    match, none = (request.headers.get(name) for name in ("if-match", "if-none-match"))
    if none is not None and none.strip() != "*":
        raise Problem(400, "If-None-Match: expected *, which means that there is no such job yet.")
    tags = None if match is None or match.strip() == "*" else _ETAG.findall(match)
    if tags == []:
        raise Problem(400, 'If-Match: expected the ETag of the job, such as "3", or *.')

    def expected(version: int | None) -> bool:
        if none is not None and version is not None:
            return False
        return match is None or (version is not None and (tags is None or str(version) in tags))

    return expected
