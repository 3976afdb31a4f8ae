"""Every route of the API in one table: who may use it, what handles it, and what of it no handler can say.

Mounting, the guard, the OpenAPI document and the page at `/api/` come from here: a handler without a row is
closed. Tests compare the table with what the service serves, and with the grammar of a chat: what a command
does, a route does.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from starlette.routing import Route

from bot.catalog.catalog import Job
from webhooks.api import openapi, queries, responses
from webhooks.api.guard import Guard, guarded
from webhooks.api.hooks import HookCallHandlers, HookHandlers
from webhooks.api.job_commands import JobCommandHandlers
from webhooks.api.jobs import JobHandlers
from webhooks.api.logs import LogHandlers
from webhooks.api.operation import IDEMPOTENCY_KEY, TEXT, Answer, ApiRequest, Header, Needs, Operation, V
from webhooks.api.repositories import RepositoryHandlers
from webhooks.api.run_commands import RunCommandHandlers
from webhooks.api.runs import RunHandlers
from webhooks.api.targets import TargetHandlers
from webhooks.api.tokens import TokenHandlers

_LOCATION = ("Location", "The address of what was made.")
_ETAG = ("ETag", "The version of the job.")

_IF_MATCH = Header(
    "If-Match", 'only if it still is this version, such as `"3"`, or `*`', r'^(\*|(W/)?"[0-9]{1,9}")$', "*"
)
_IF_NONE_MATCH = Header("If-None-Match", "`*`: only if there is none yet", r"^\*$", "*")

_LOG = {200: Answer("The log.", shape=TEXT)}
_RESET = {204: Answer("It does.")}
_FREE = {204: Answer("It is free.")}
_VERSIONED = {200: Answer(headers=(_ETAG,))}
_STOPPED = {200: Answer("The run, which may take its grace to stop.")}
_STARTED = {
    200: Answer("The run that this `Idempotency-Key` started already.", (_LOCATION,)),
    201: Answer("The run that was started.", (_LOCATION,), responses.Run),
}
_PUT = {
    200: Answer("It was changed, or was the same before.", (_ETAG, _LOCATION)),
    201: Answer("It is new.", (_ETAG, _LOCATION)),
}
_BUILT = {
    200: Answer("A build of that commit that there was already.", (_LOCATION,)),
    201: Answer("The build that was begun.", (_LOCATION,)),
}


class DocumentHandlers:
    """This table for programs."""

    async def get_openapi(self, request: ApiRequest) -> dict[str, Any]:
        """All this as OpenAPI 3.1."""
        return document()


def _start(path: str, needs: Needs, handler: Any, **more: Any) -> Operation:
    """An operation that starts a run."""
    return Operation(
        "POST", path, needs, handler, _STARTED, headers=(IDEMPOTENCY_KEY,), problems=(404, 409, 503), **more
    )


def _command(
    method: str, path: str, needs: Needs, handler: Any, verb: str, answers: dict[int, Answer] | None = None
) -> Operation:
    """An operation that carries out a command of a chat, which may be refused as it is there."""
    return Operation(method, path, needs, handler, answers, problems=(404, 409), verb=verb)


OPERATIONS = (
    Operation("GET", "/api/openapi.json", Needs.ANY, DocumentHandlers.get_openapi, verb="help"),
    Operation("GET", "/api/jobs", Needs.SEE, JobHandlers.list_jobs),
    Operation("GET", "/api/jobs/{name}", Needs.SEE, JobHandlers.get_job, _VERSIONED, verb="list"),
    Operation(
        "PUT",
        "/api/jobs/{name}",
        Needs.ADMIN,
        JobHandlers.put_job,
        _PUT,
        headers=(_IF_MATCH, _IF_NONE_MATCH),
        streamed=Job,
        problems=(409, 412),
    ),
    Operation(
        "DELETE",
        "/api/jobs/{name}",
        Needs.ADMIN,
        JobHandlers.delete_job,
        headers=(_IF_MATCH,),
        problems=(404, 409, 412),
    ),
    _start("/api/jobs/{name}/start", Needs.RUN, RunCommandHandlers.start_job, verb="run", workflows=True),
    Operation("DELETE", "/api/jobs/{name}/tag", Needs.RUN, RunCommandHandlers.delete_job_tag, _RESET),
    _command("POST", "/api/jobs/{name}/plan", Needs.RUN, JobCommandHandlers.plan_job, "plan"),
    _command("GET", "/api/jobs/{name}/why", Needs.SEE, JobCommandHandlers.explain_job, "why"),
    Operation(
        "GET",
        "/api/jobs/{name}/help",
        Needs.SEE,
        JobCommandHandlers.describe_job,
        query=queries.HELP,
        verb="help",
    ),
    _command("POST", "/api/jobs/{name}/pause", Needs.RUN, JobCommandHandlers.pause_job, "pause"),
    _command("POST", "/api/jobs/{name}/resume", Needs.RUN, JobCommandHandlers.resume_job, "resume"),
    _command("POST", "/api/jobs/{name}/skip", Needs.RUN, JobCommandHandlers.skip_job, "skip"),
    _command("POST", "/api/jobs/{name}/cancel", Needs.RUN, RunCommandHandlers.cancel_job, "cancel", _STOPPED),
    Operation("GET", "/api/runs", Needs.SEE, RunHandlers.list_runs, query=queries.RUNS, verb="status"),
    Operation("GET", "/api/runs/{number}", Needs.SEE, RunHandlers.get_run, workflows=True),
    Operation(
        "DELETE",
        "/api/runs/{number}",
        Needs.ADMIN,
        JobHandlers.delete_run,
        problems=(404, 409),
        verb="status",
    ),
    Operation(
        "POST",
        "/api/runs/{number}/cancel",
        Needs.RUN,
        RunCommandHandlers.cancel_run,
        _STOPPED,
        verb="cancel",
        workflows=True,
    ),
    _command("POST", "/api/cancel", Needs.CONCERNED, RunCommandHandlers.cancel_own_run, "cancel", _STOPPED),
    _start("/api/runs/{number}/rerun", Needs.RUN, RunCommandHandlers.rerun_run, verb="rerun"),
    _start("/api/rerun", Needs.CONCERNED, RunCommandHandlers.rerun_own_run, verb="rerun"),
    _start("/api/exec", Needs.EXEC, RunCommandHandlers.execute),
    Operation(
        "GET",
        "/api/runs/{number}/logs",
        Needs.SEE,
        LogHandlers.get_run_log,
        _LOG,
        query=queries.RUN_LOG,
        verb="logs",
        workflows=True,
    ),
    Operation("GET", "/api/builds/{number}", Needs.SEE, RunHandlers.get_build),
    Operation(
        "GET", "/api/builds/{number}/logs", Needs.SEE, LogHandlers.get_build_log, _LOG, query=queries.LOG
    ),
    Operation("GET", "/api/locks", Needs.READ, RunHandlers.list_locks),
    _command("PUT", "/api/locks/{target}", Needs.CONCERNED, TargetHandlers.lock_target, "lock"),
    Operation("DELETE", "/api/locks/{target}", Needs.CONCERNED, TargetHandlers.unlock_target, verb="unlock"),
    _command(
        "POST", "/api/images/{image}/build", Needs.CONCERNED, TargetHandlers.build_image, "build", _BUILT
    ),
    Operation("GET", "/api/hooks", Needs.ADMIN, HookHandlers.list_hooks),
    Operation(
        "POST",
        "/api/hooks",
        Needs.ADMIN,
        HookHandlers.create_hook,
        {201: Answer("It, with its token, this once.", (_LOCATION,))},
        problems=(404, 409),
    ),
    Operation("DELETE", "/api/hooks/{name}/{hook}", Needs.ADMIN, HookHandlers.delete_hook),
    Operation(
        "POST",
        "/hooks/{name}",
        Needs.HOOK,
        HookCallHandlers.call_hook,
        _STARTED | {200: Answer("The same again, or the tag.", (_LOCATION,))},
        query=queries.HOOK,
        headers=(IDEMPOTENCY_KEY,),
        problems=(404, 409, 503),
    ),
    Operation("GET", "/api/repositories", Needs.ADMIN, RepositoryHandlers.list_repositories),
    Operation(
        "DELETE",
        "/api/repositories/{name:path}",  # a name has a slash, but for that of an owner
        Needs.ADMIN,
        RepositoryHandlers.forget_repository,
        _FREE,
    ),
    Operation("GET", "/api/tokens", Needs.ADMIN, TokenHandlers.list_tokens),
    Operation(
        "POST",
        "/api/tokens",
        Needs.ADMIN,
        TokenHandlers.create_token,
        {201: Answer("It, with its text, this once.", (_LOCATION,))},
        problems=(409,),
    ),
    Operation(
        "DELETE",
        "/api/tokens/{name:path}",  # one that was made on the command line may have a slash
        Needs.ADMIN,
        TokenHandlers.delete_token,
    ),
)
"""Sorted as people read them."""


@lru_cache(maxsize=1)
def document() -> openapi.Schema:
    """The table as an OpenAPI document; the same for every installation of this version."""
    return openapi.document(OPERATIONS)


def routes(handlers: Iterable[object], guard: Guard[V], url: str) -> list[Route]:
    """What to mount for these handlers at the installation's public address."""
    return [
        guarded(guard, row, getattr(each, row.id), url.rstrip("/"))
        for each in handlers
        for row in OPERATIONS
        if getattr(type(each), row.id, None) is row.handler
    ]
