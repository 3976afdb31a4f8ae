"""The API's half for jobs: what there is, and for admin tokens to change it. See docs/api.md."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import config
from bot.catalog.due import Outlook
from bot.config import Wrong
from bot.errors import ProblemType
from bot.registry import Conflict, Entry, Expected, Registry
from bot.states import State
from bot.store import Session, Store, results, runs
from bot.tables import Run
from bot.workers.pruning import Pruning
from webhooks.access import Access, Visitor
from webhooks.api import responses, schedules
from webhooks.api.answers import json_answer, path_number
from webhooks.api.guard import guarded
from webhooks.api.problems import Problem, missing, missing_job, wrong
from webhooks.api.reading import content, require_json
from webhooks.api.telling import Telling, chosen_tag, standing_tag
from webhooks.view import rfc3339

BODY_LIMIT = 1 << 20
"""Bytes of a definition."""

log = structlog.get_logger()

_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Jobs:
    """What this half is made of. `url` is the installation's public address."""

    registry: Registry
    pruning: Pruning
    store: Store
    access: Access
    url: str
    clock: Callable[[], float]


def routes(jobs: Jobs) -> list[Route]:
    """What to mount."""
    rooms, access = _JobHandlers(jobs), jobs.access
    return [
        guarded(access, "/api/jobs", rooms.list_jobs),
        guarded(access, "/api/jobs/{name}", rooms.job),
        guarded(access, "/api/jobs/{name}", rooms.put, method="PUT"),
        guarded(access, "/api/jobs/{name}", rooms.delete, method="DELETE"),
        guarded(access, "/api/runs/{number}", rooms.delete_run, method="DELETE"),
    ]


class _JobHandlers:
    """The handlers; whoever gets here may do what they do."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._url = jobs.url.rstrip("/")
        self._tell = Telling(jobs.url, jobs.clock)

    async def list_jobs(self, request: Request, visitor: Visitor) -> Response:
        """All jobs by name."""
        seen = visitor.jobs
        entries = [each for each in self._jobs.registry.entries() if seen is None or each.job.name in seen]
        jobs, now = [entry.job for entry in entries], self._jobs.clock()

        def read(session: Session) -> tuple[dict[str, Outlook], dict[str, Run]]:
            names = [job.name for job in jobs]
            return schedules.outlooks(session, jobs, now=now), results.newest(session, names)

        timed, last = await self._jobs.store.read(read)
        listed: list[responses.ListedJob] = [
            {
                **self._told(entry, hide=not visitor.admin),
                "schedule": schedules.coming(timed[entry.job.name]) if entry.job.name in timed else None,
                "last_run": self._tell.last(last.get(entry.job.name)),
            }
            for entry in entries
        ]
        return json_answer({"jobs": listed})

    async def job(self, request: Request, visitor: Visitor) -> Response:
        """One job with what its schedule does, and its version as `ETag`."""
        entry, jobs = self._entry(request), self._jobs
        images = jobs.registry.catalog.images
        schedule, tag, last = await jobs.store.read(
            lambda s: (
                schedules.of(s, entry.job, now=jobs.clock()),
                standing_tag(s, entry.job, images),
                results.newest(s, [entry.job.name]),
            )
        )
        told: responses.ScheduledJob = {
            **self._told(entry, hide=not visitor.admin),
            "schedule": schedules.told(schedule),
            "last_run": self._tell.last(last.get(entry.job.name)),
            "image_tag": None if tag is None else chosen_tag(tag),
        }
        return json_answer(told, headers=_etag(entry.row.version))

    async def put(self, request: Request, visitor: Visitor) -> Response:
        """Create a job or change it."""
        name, registry = request.path_params["name"], self._jobs.registry
        require_json(request)
        expected = _expected(request)
        held = registry.entry(name)
        if held is not None and held.from_file:
            raise _conflict(Conflict(f"{name} is defined in the configuration file; change it there."))
        found = await content(request, limit=BODY_LIMIT, what="A definition")
        try:
            job = config.job_of(found, name, registry.config)
        except Wrong as error:
            raise wrong(error.mistakes, "definition") from None
        try:
            row, new = await registry.put(job, actor=visitor.caller.name, expected=expected)
        except Conflict as error:
            raise _conflict(error) from None
        headers = {**_etag(row.version), "Location": self._address(name)}
        status = 201 if new and held is None else 200
        return json_answer(self._told(Entry(job, row)), status, headers)

    async def delete(self, request: Request, visitor: Visitor) -> Response:
        """Remove a job and its history."""
        name = request.path_params["name"]
        if "\0" in name:
            raise missing_job()
        try:
            removed = await self._jobs.registry.remove(
                name, actor=visitor.caller.name, expected=_expected(request)
            )
        except Conflict as error:
            raise _conflict(error) from None
        if not removed:
            raise missing_job()
        log.info("job.removed", job=name, by=visitor.caller.name)
        await self._jobs.pruning.purge(name)
        return Response(status_code=204)

    async def delete_run(self, request: Request, visitor: Visitor) -> Response:
        """Remove a finished run."""
        number = path_number(request)
        run = await self._jobs.store.read(lambda s: runs.get(s, number))
        if run is None:
            raise missing("runs", number)
        if run.state != State.FINISHED:
            raise Problem(
                409, f"Run #{number} goes on or waits; cancel it first.", kind=ProblemType.NOT_FINISHED
            )
        await self._jobs.pruning.remove([number])
        log.info("run.removed", run=number, job=run.job, by=visitor.caller.name)
        return Response(status_code=204)

    def _entry(self, request: Request) -> Entry:
        entry = self._jobs.registry.entry(request.path_params["name"])
        if entry is None:
            raise missing_job()
        return entry

    def _address(self, name: str) -> str:
        return f"{self._url}/api/jobs/{name}"

    def _told(self, entry: Entry, *, hide: bool = False) -> responses.DefinedJob:
        """What is said of a job; `hide`: without the texts of variables that its `mask` names."""
        job, row = entry.job, entry.row
        definition = config.definition(job)
        if hide:
            shown = {name: "***" if name in job.mask else text for name, text in job.env.items()}
            definition = config.definition(job.model_copy(update={"env": shown}))
        return {
            "name": job.name,
            "description": job.description,
            "version": row.version,
            "source": row.source,
            "changed_by": row.actor,
            "changed_at": rfc3339(row.created_at),
            "definition": definition,
            "url": f"{self._url}/jobs/{job.name}",
        }


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


def _conflict(error: Conflict) -> Problem:
    if error.precondition:
        return Problem(412, str(error))
    return Problem(409, str(error), kind=ProblemType.JOB_CONFLICT)
