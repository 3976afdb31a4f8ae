"""Every route of the API in one table: who may use it, what handles it, and what of it no handler can say.

Mounting, the guard, the OpenAPI document and the page at `/api/` come from here: a handler without a row is
closed. Tests compare the table with what the service serves, and with the grammar of a chat: what a command
does, a route does.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import Any

from starlette.routing import Route

from bot.catalog.catalog import Job
from webhooks.api import openapi, queries, responses
from webhooks.api.audit import AuditHandlers, Entries
from webhooks.api.chat_commands import ChatCommandHandlers
from webhooks.api.deliveries import DeliveryHandlers
from webhooks.api.freezes import FreezeHandlers
from webhooks.api.grants import GrantHandlers
from webhooks.api.guard import Guard, guarded
from webhooks.api.hooks import HookCallHandlers
from webhooks.api.jobs import JobHandlers
from webhooks.api.logins import DeviceHandlers, LoginHandlers, LoginPending, LoginToken
from webhooks.api.logs import LogHandlers
from webhooks.api.operation import TEXT, Answer, ApiRequest, Needs, Operation, V
from webhooks.api.run_commands import RunCommandHandlers
from webhooks.api.runs import RunHandlers
from webhooks.api.sessions import SessionHandlers
from webhooks.api.who import WhoHandlers

_LOCATION = ("Location", "The address of what was made.")
_ETAG = ("ETag", "The version of the job.")

_IF_MATCH = queries.Parameter(
    "If-Match",
    'only if it still is this version, such as `"3"`, or `*`',
    pattern=r'^(\*|(W/)?"[0-9]{1,9}")$',
    example="*",
)
_IF_NONE_MATCH = queries.Parameter(
    "If-None-Match", "`*`: only if there is none yet", pattern=r"^\*$", example="*"
)

_RESET = {204: Answer("It does.")}
_AGAIN = {204: Answer("It is decided anew, soon.")}
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
_GRANTED = {201: Answer("It, with its token, this once.", (_LOCATION,))}
_NEW_TOKEN = {201: Answer("It, with its text, this once.", (_LOCATION,))}
_FROZEN = {201: Answer("It is on.")}
_LOGGED_IN = {
    201: Answer("The login, with its token, this once.", shape=LoginToken),
    202: Answer("Nobody has agreed yet.", shape=LoginPending),
}
_BACKFILLED = {201: Answer("The runs, which come one by one.", (_LOCATION,))}
_BUILT = {
    200: Answer("A build of that commit that there was already.", (_LOCATION,)),
    201: Answer("The build that was begun.", (_LOCATION,)),
}


class DocumentHandlers:
    """This table for programs."""

    async def get_openapi(self, request: ApiRequest) -> dict[str, Any]:
        """All this as OpenAPI 3.1."""
        return document()


_get, _delete = partial(Operation, "GET"), partial(Operation, "DELETE")
_command = partial(Operation, problems=(404, 409))
_cancel = partial(Operation, "POST", special=_STOPPED, verb="cancel")


def _start(
    path: str, needs: Needs, handler: Any, special: Mapping[int, Answer] | None = None, **more: Any
) -> Operation:
    """An operation that starts a run."""
    answers, headers = _STARTED | dict(special or {}), (queries.IDEMPOTENCY_KEY,)
    return _command("POST", path, needs, handler, answers, headers=headers, **more)


def _log(path: str, handler: Any, query: tuple[queries.Parameter, ...], **more: Any) -> Operation:
    """An operation that answers with a log."""
    return _get(path, Needs.SEE, handler, {200: Answer("The log.", shape=TEXT)}, query, **more)


OPERATIONS = (
    _get("/api/openapi.json", Needs.ANY, DocumentHandlers.get_openapi, verb="help"),
    _get("/api/jobs", Needs.SEE, JobHandlers.list_jobs),
    _get("/api/agenda", Needs.SEE, JobHandlers.list_agenda),
    _get("/api/jobs/{name}", Needs.SEE, JobHandlers.get_job, _VERSIONED, verb="list"),
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
    _delete(
        "/api/jobs/{name}",
        Needs.ADMIN,
        JobHandlers.delete_job,
        headers=(_IF_MATCH,),
        problems=(404, 409, 412),
    ),
    _start("/api/jobs/{name}/start", Needs.RUN, RunCommandHandlers.start_job, verb="run", workflows=True),
    _delete("/api/jobs/{name}/tag", Needs.RUN, RunCommandHandlers.delete_job_tag, _RESET),
    _command("POST", "/api/jobs/{name}/plan", Needs.RUN, ChatCommandHandlers.plan_job, verb="plan"),
    _command("GET", "/api/jobs/{name}/why", Needs.SEE, ChatCommandHandlers.explain_job, verb="why"),
    _get(
        "/api/jobs/{name}/help", Needs.SEE, ChatCommandHandlers.describe_job, query=queries.HELP, verb="help"
    ),
    _command("POST", "/api/jobs/{name}/pause", Needs.RUN, ChatCommandHandlers.pause_job, verb="pause"),
    _command("POST", "/api/jobs/{name}/resume", Needs.RUN, ChatCommandHandlers.resume_job, verb="resume"),
    _command("POST", "/api/jobs/{name}/skip", Needs.RUN, ChatCommandHandlers.skip_job, verb="skip"),
    _command(
        "POST",
        "/api/jobs/{name}/backfill",
        Needs.RUN,
        ChatCommandHandlers.backfill_job,
        _BACKFILLED,
        verb="backfill",
    ),
    _command("POST", "/api/schedules/pause", Needs.ADMIN, ChatCommandHandlers.pause_schedules, verb="pause"),
    _command(
        "POST", "/api/schedules/resume", Needs.ADMIN, ChatCommandHandlers.resume_schedules, verb="resume"
    ),
    _cancel("/api/jobs/{name}/cancel", Needs.RUN, RunCommandHandlers.cancel_job, problems=(404, 409)),
    _get("/api/runs", Needs.SEE, RunHandlers.list_runs, query=queries.RUNS, verb="status"),
    _get("/api/runs/{number}", Needs.SEE, RunHandlers.get_run, workflows=True),
    _command("DELETE", "/api/runs/{number}", Needs.ADMIN, JobHandlers.delete_run, verb="status"),
    _cancel("/api/runs/{number}/cancel", Needs.RUN, RunCommandHandlers.cancel_run, workflows=True),
    _command(
        "POST", "/api/runs/{number}/approve", Needs.ANSWER, ChatCommandHandlers.approve_run, verb="approve"
    ),
    _command("POST", "/api/runs/{number}/deny", Needs.ANSWER, ChatCommandHandlers.deny_run, verb="deny"),
    _cancel("/api/cancel", Needs.CONCERNED, RunCommandHandlers.cancel_own_run, problems=(404, 409)),
    _start("/api/runs/{number}/rerun", Needs.RUN, RunCommandHandlers.rerun_run, verb="rerun"),
    _start("/api/rerun", Needs.CONCERNED, RunCommandHandlers.rerun_own_run, verb="rerun"),
    _start("/api/exec", Needs.EXEC, RunCommandHandlers.execute),
    _log("/api/runs/{number}/logs", LogHandlers.get_run_log, queries.RUN_LOG, verb="logs", workflows=True),
    _get("/api/builds/{number}", Needs.SEE, RunHandlers.get_build),
    _log("/api/builds/{number}/logs", LogHandlers.get_build_log, queries.LOG),
    _get("/api/locks", Needs.READ, RunHandlers.list_locks),
    _command("PUT", "/api/locks", Needs.EVERY, ChatCommandHandlers.lock_everything, verb="lock"),
    _delete("/api/locks", Needs.EVERY, ChatCommandHandlers.unlock_everything, problems=(404,), verb="unlock"),
    _command("PUT", "/api/locks/{target}", Needs.CONCERNED, ChatCommandHandlers.lock_target, verb="lock"),
    _delete("/api/locks/{target}", Needs.CONCERNED, ChatCommandHandlers.unlock_target, verb="unlock"),
    _get("/api/freezes", Needs.READ, FreezeHandlers.list_freezes),
    _command("POST", "/api/freezes", Needs.CONCERNED, FreezeHandlers.begin_freeze, _FROZEN, verb="freeze"),
    _command(
        "DELETE", "/api/freezes", Needs.CONCERNED, FreezeHandlers.end_freeze, query=queries.THAW, verb="thaw"
    ),
    _command(
        "POST",
        "/api/images/{image}/build",
        Needs.CONCERNED,
        ChatCommandHandlers.build_image,
        _BUILT,
        verb="build",
    ),
    _get("/api/hooks", Needs.ADMIN, GrantHandlers.list_hooks),
    _command("POST", "/api/hooks", Needs.ADMIN, GrantHandlers.create_hook, _GRANTED),
    _delete("/api/hooks/{name}/{hook}", Needs.ADMIN, GrantHandlers.delete_hook),
    _start(
        "/hooks/{name}",
        Needs.HOOK,
        HookCallHandlers.call_hook,
        {200: Answer("The same again, or the tag.", (_LOCATION,))},
        query=queries.HOOK,
    ),
    _get("/api/deliveries", Needs.ADMIN, DeliveryHandlers.list_deliveries, query=queries.DELIVERIES),
    Operation(
        "POST",
        "/api/deliveries/{number}/retry",
        Needs.ADMIN,
        DeliveryHandlers.retry_delivery,
        _AGAIN,
        problems=(404,),
    ),
    _get("/api/repositories", Needs.ADMIN, GrantHandlers.list_repositories),
    # The name of a repository has a slash, as may a token that was made on the command line.
    _delete("/api/repositories/{name:path}", Needs.ADMIN, GrantHandlers.forget_repository, _FREE),
    Operation(
        "POST", "/api/login", Needs.NOTHING, DeviceHandlers.begin_login, problems=(409, 429), verb="login"
    ),
    Operation(
        "POST", "/api/login/token", Needs.NOTHING, DeviceHandlers.finish_login, _LOGGED_IN, problems=(409,)
    ),
    _get("/api/login", Needs.ANY, LoginHandlers.show_login),
    _delete("/api/login", Needs.LOGIN, LoginHandlers.end_login, problems=(409,)),
    _get(
        "/api/audit",
        Needs.AUDIT,
        AuditHandlers.list_audit,
        {200: Answer("A page of rows, or JSON lines.", shape=Entries)},
        queries.AUDIT,
    ),
    _get("/api/who", Needs.ADMIN, WhoHandlers.list_who, query=queries.WHO),
    _get("/api/sessions", Needs.ADMIN, SessionHandlers.list_sessions),
    _delete("/api/sessions/{number}", Needs.ADMIN, SessionHandlers.end_session),
    _get("/api/tokens", Needs.ADMIN, GrantHandlers.list_tokens),
    Operation("POST", "/api/tokens", Needs.ADMIN, GrantHandlers.create_token, _NEW_TOKEN, problems=(409,)),
    _delete("/api/tokens/{name:path}", Needs.ADMIN, GrantHandlers.delete_token),
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
