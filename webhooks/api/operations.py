"""Every route of the API in one table: who may use it, what it takes, and what it answers.

The guard decides by it, the OpenAPI document and the page at `/api/` are made of it, and a test compares it
with what is mounted. A route that is not in the table cannot be mounted: what nobody decided about is closed.
Another test compares it with the grammar of a chat: what a command does, a route does.
"""

from typing import Any

from bot.catalog.catalog import Job
from webhooks.api import queries, requests, responses
from webhooks.api.operation import TEXT, Answer, Header, Needs, Operation

_LOCATION = ("Location", "The address of what was made.")
_ETAG = ("ETag", "The version of the job.")

_IF_MATCH = Header(
    "If-Match", 'only if it still is this version, such as `"3"`, or `*`', r'^(\*|(W/)?"[0-9]{1,9}")$', "*"
)
_IF_NONE_MATCH = Header("If-None-Match", "`*`: only if there is none yet", r"^\*$", "*")
_IDEMPOTENCY = Header(
    "Idempotency-Key",
    "the same key gives the same run, for a day; with another request it is a mistake (409)",
    r"^[!-~]{1,200}$",
    "deploy-2026-01-31",
)

_LOG = {200: Answer(TEXT, "The log.")}
_STARTED = {
    200: Answer(responses.Run, "The run that this `Idempotency-Key` started already.", (_LOCATION,)),
    201: Answer(responses.Run, "The run that was started.", (_LOCATION,)),
}

OPERATIONS = (
    Operation(
        "GET",
        "/api/openapi.json",
        Needs.ANY,
        "all this as OpenAPI 3.1",
        {200: Answer(dict[str, Any])},
        verb="help",
    ),
    Operation(
        "GET",
        "/api/jobs",
        Needs.SEE,
        "the jobs there are, by name, with what comes next and the newest run of each",
        {200: Answer(responses.Jobs)},
    ),
    Operation(
        "GET",
        "/api/jobs/{name}",
        Needs.SEE,
        "one job, with what its schedule does",
        {200: Answer(responses.ScheduledJob, headers=(_ETAG,))},
        problems=(404,),
        verb="list",
    ),
    Operation(
        "PUT",
        "/api/jobs/{name}",
        Needs.ADMIN,
        "creates or changes a job",
        {
            200: Answer(responses.DefinedJob, "It was changed, or was the same before.", (_ETAG, _LOCATION)),
            201: Answer(responses.DefinedJob, "It is new.", (_ETAG, _LOCATION)),
        },
        headers=(_IF_MATCH, _IF_NONE_MATCH),
        body=Job,
        body_required=True,
        problems=(409, 412),
    ),
    Operation(
        "DELETE",
        "/api/jobs/{name}",
        Needs.ADMIN,
        "removes a job with its history",
        {204: Answer(meaning="It is gone.")},
        headers=(_IF_MATCH,),
        problems=(404, 409, 412),
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/start",
        Needs.RUN,
        "starts a job",
        _STARTED,
        headers=(_IDEMPOTENCY,),
        body=requests.Start,
        problems=(404, 409, 503),
        verb="run",
    ),
    Operation(
        "DELETE",
        "/api/jobs/{name}/tag",
        Needs.RUN,
        "lets a job run again what its image says, instead of a tag that was chosen",
        {204: Answer(meaning="It does.")},
        problems=(404,),
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/plan",
        Needs.RUN,
        "what a start with the same body would do; starts nothing",
        {200: Answer(responses.Said)},
        body=requests.Start,
        problems=(404, 409),
        verb="plan",
    ),
    Operation(
        "GET",
        "/api/jobs/{name}/why",
        Needs.SEE,
        "why a job did or did not run",
        {200: Answer(responses.Said)},
        problems=(404, 409),
        verb="why",
    ),
    Operation(
        "GET",
        "/api/jobs/{name}/help",
        Needs.SEE,
        "what a job does, and which parameters it takes",
        {200: Answer(responses.Said)},
        query=queries.HELP,
        problems=(404,),
        verb="help",
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/pause",
        Needs.RUN,
        "holds the schedule of a job back",
        {200: Answer(responses.Said)},
        body=requests.Pause,
        problems=(404, 409),
        verb="pause",
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/resume",
        Needs.RUN,
        "lets the schedule of a job go on",
        {200: Answer(responses.Said)},
        body=requests.Empty,
        problems=(404, 409),
        verb="resume",
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/skip",
        Needs.RUN,
        "leaves out the next time of the schedule of a job",
        {200: Answer(responses.Said)},
        body=requests.Empty,
        problems=(404, 409),
        verb="skip",
    ),
    Operation(
        "POST",
        "/api/jobs/{name}/cancel",
        Needs.RUN,
        "stops the run of a job that is under way; where several are, it lists them and stops none",
        {200: Answer(responses.Run, "The run, which may take its grace to stop.")},
        body=requests.Empty,
        problems=(404, 409),
        verb="cancel",
    ),
    Operation(
        "GET",
        "/api/runs",
        Needs.SEE,
        "runs, newest first",
        {200: Answer(responses.Runs)},
        query=queries.RUNS,
        verb="status",
    ),
    Operation(
        "GET", "/api/runs/{number}", Needs.SEE, "one run", {200: Answer(responses.Run)}, problems=(404,)
    ),
    Operation(
        "DELETE",
        "/api/runs/{number}",
        Needs.ADMIN,
        "removes a finished run with its logs",
        {204: Answer(meaning="It is gone.")},
        problems=(404, 409),
        verb="status",
    ),
    Operation(
        "POST",
        "/api/runs/{number}/cancel",
        Needs.RUN,
        "stops a run, and gives it as it is then; one that has finished stays as it is",
        {200: Answer(responses.Run, "The run, which may take its grace to stop.")},
        body=requests.Empty,
        problems=(404,),
        verb="cancel",
    ),
    Operation(
        "POST",
        "/api/cancel",
        Needs.CONCERNED,
        "stops the run under way that the same token started; of several it stops none",
        {200: Answer(responses.Run, "The run, which may take its grace to stop.")},
        body=requests.Empty,
        problems=(404, 409),
        verb="cancel",
    ),
    Operation(
        "POST",
        "/api/runs/{number}/rerun",
        Needs.RUN,
        "runs it again, exactly as it was or changed where said",
        _STARTED,
        headers=(_IDEMPOTENCY,),
        body=requests.Rerun,
        problems=(404, 409, 503),
        verb="rerun",
    ),
    Operation(
        "POST",
        "/api/rerun",
        Needs.CONCERNED,
        "runs again what the same token started last",
        _STARTED,
        headers=(_IDEMPOTENCY,),
        body=requests.Rerun,
        problems=(404, 409, 503),
        verb="rerun",
    ),
    Operation(
        "POST",
        "/api/exec",
        Needs.EXEC,
        "runs one command in an image, or in what a workload runs",
        _STARTED,
        headers=(_IDEMPOTENCY,),
        body=requests.Exec,
        body_required=True,
        problems=(404, 409, 503),
    ),
    Operation(
        "GET",
        "/api/runs/{number}/logs",
        Needs.SEE,
        "the log of a run as text",
        _LOG,
        query=queries.RUN_LOG,
        problems=(404,),
        verb="logs",
    ),
    Operation(
        "GET", "/api/builds/{number}", Needs.SEE, "one build", {200: Answer(responses.Build)}, problems=(404,)
    ),
    Operation(
        "GET",
        "/api/builds/{number}/logs",
        Needs.SEE,
        "the log of a build as text",
        _LOG,
        query=queries.LOG,
        problems=(404,),
    ),
    Operation(
        "GET",
        "/api/locks",
        Needs.READ,
        "what is locked, by whom, why and until when",
        {200: Answer(responses.Locks)},
    ),
    Operation(
        "PUT",
        "/api/locks/{target}",
        Needs.CONCERNED,
        "locks a target, which is a `lock` of jobs or a job: what has begun goes on, nothing else starts",
        {200: Answer(responses.LockAnswer)},
        body=requests.LockRequest,
        problems=(404, 409),
        verb="lock",
    ),
    Operation(
        "DELETE",
        "/api/locks/{target}",
        Needs.CONCERNED,
        "unlocks a target, whoever locked it; what waited for it goes on",
        {200: Answer(responses.UnlockAnswer)},
        problems=(404,),
        verb="unlock",
    ),
    Operation(
        "POST",
        "/api/images/{image}/build",
        Needs.CONCERNED,
        "builds an image, unless it is built from that commit",
        {
            200: Answer(
                responses.BuildAnswer, "A build of that commit that there was already.", (_LOCATION,)
            ),
            201: Answer(responses.BuildAnswer, "The build that was begun.", (_LOCATION,)),
        },
        body=requests.BuildRequest,
        problems=(404, 409),
        verb="build",
    ),
    Operation("GET", "/api/hooks", Needs.ADMIN, "all deploy hooks", {200: Answer(responses.Hooks)}),
    Operation(
        "POST",
        "/api/hooks",
        Needs.ADMIN,
        "makes a deploy hook for a job",
        {201: Answer(responses.NewHook, "It, with its token, this once.", (_LOCATION,))},
        body=requests.HookRequest,
        body_required=True,
        problems=(404, 409),
    ),
    Operation(
        "DELETE",
        "/api/hooks/{name}/{hook}",
        Needs.ADMIN,
        "ends a hook at once",
        {204: Answer(meaning="It is gone.")},
        problems=(404,),
    ),
    Operation(
        "POST",
        "/hooks/{name}",
        Needs.HOOK,
        "calls a deploy hook: starts its job, with `imageTag` after choosing that tag for it",
        _STARTED
        | {200: Answer(responses.Run | responses.Moved, "The same again, or the tag.", (_LOCATION,))},
        query=queries.HOOK,
        headers=(_IDEMPOTENCY,),
        body=requests.HookCall,
        problems=(404, 409, 503),
    ),
    Operation(
        "GET",
        "/api/repositories",
        Needs.ADMIN,
        "which number is pinned to which repository",
        {200: Answer(responses.Repositories)},
    ),
    Operation(
        "DELETE",
        "/api/repositories/{name}",
        Needs.ADMIN,
        "lets the next repository that comes under a name have it",
        {204: Answer(meaning="It is free.")},
        problems=(404,),
    ),
    Operation("GET", "/api/tokens", Needs.ADMIN, "all tokens by name", {200: Answer(responses.Tokens)}),
    Operation(
        "POST",
        "/api/tokens",
        Needs.ADMIN,
        "makes a token",
        {201: Answer(responses.NewToken, "It, with its text, this once.", (_LOCATION,))},
        body=requests.TokenRequest,
        body_required=True,
        problems=(409,),
    ),
    Operation(
        "DELETE",
        "/api/tokens/{name}",
        Needs.ADMIN,
        "ends a token at once",
        {204: Answer(meaning="It is gone.")},
        problems=(404,),
    ),
)
"""Sorted as people read them."""

_BY_ROUTE = {(each.method, each.path): each for each in OPERATIONS}


def operation(method: str, path: str) -> Operation:
    """The row of a route; LookupError where nobody decided about it."""
    found = _BY_ROUTE.get((method, path))
    if found is None:
        raise LookupError(f"{method} {path} is not in webhooks/api/operations.py, so nobody may use it.")
    return found
