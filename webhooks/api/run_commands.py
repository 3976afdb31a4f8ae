"""The API's half that makes and stops runs: start, run again, stop, and single commands. See docs/api.md."""

from collections.abc import Callable

from bot.catalog.exec import Single
from bot.handlers.calls import CallHandler, StartConditions
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.store import Store
from webhooks.api import requests, responses
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import wrong
from webhooks.api.runs import run_document, started


class RunCommandHandlers:
    """Whoever gets here may do this to the job or the run that the path names; else, to what they started."""

    def __init__(self, calls: CallHandler, store: Store, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._store = store
        self._clock = clock

    async def start_job(self, request: ApiRequest[requests.Start]) -> Reply[responses.Run]:
        """Starts a job."""
        body, conditions = request.body, StartConditions(request.key)
        if body.at is not None and body.delay is not None:
            raise wrong([("/delay", "expected either at or delay, not both")])
        start = StartRequest(
            body.parameters,
            tuple(body.arguments),
            body.ref,
            body.image_tag,
            body.override,
            body.at,
            body.delay,
        )
        result = await self._calls.start(request.visitor.caller, request.path["name"], start, conditions)
        return await started(self._store, result, self._clock())

    async def rerun_run(self, request: ApiRequest[requests.Rerun]) -> Reply[responses.Run]:
        """Runs it again, exactly as it was or changed where said."""
        return await self._rerun(request, request.number)

    async def rerun_own_run(self, request: ApiRequest[requests.Rerun]) -> Reply[responses.Run]:
        """Runs again what the same token started last."""
        return await self._rerun(request, None)

    async def _rerun(self, request: ApiRequest[requests.Rerun], number: int | None) -> Reply[responses.Run]:
        changes = RerunRequest(request.body.parameters, request.body.latest, request.body.override)
        conditions = StartConditions(request.key)
        result = await self._calls.rerun(request.visitor.caller, number, changes, conditions)
        return await started(self._store, result, self._clock())

    async def execute(self, request: ApiRequest[requests.Exec]) -> Reply[responses.Run]:
        """Runs one command in an image, or in what a workload runs."""
        body = request.body
        single = Single(body.image, body.command, body.workdir, body.timeout)
        result = await self._calls.execute(request.visitor.caller, single, StartConditions(request.key))
        return await started(self._store, result, self._clock())

    async def cancel_run(self, request: ApiRequest[requests.Empty]) -> responses.Run:
        """Stops a run, and gives it as it is then; one that has finished stays as it is."""
        return await self._cancel(request, RunReference(request.number))

    async def cancel_job(self, request: ApiRequest[requests.Empty]) -> responses.Run:
        """Stops the run of a job that is under way; where several are, it lists them and stops none."""
        return await self._cancel(request, RunReference(name=request.path["name"]))

    async def cancel_own_run(self, request: ApiRequest[requests.Empty]) -> responses.Run:
        """Stops the run under way that the same token started; of several it stops none."""
        return await self._cancel(request, RunReference())

    async def _cancel(self, request: ApiRequest[requests.Empty], reference: RunReference) -> responses.Run:
        run = await self._calls.cancel(request.visitor.caller, reference)
        return await run_document(self._store, run, self._clock())

    async def delete_job_tag(self, request: ApiRequest) -> None:
        """Lets a job run again what its image says, instead of a tag that was chosen."""
        await self._calls.follow(request.visitor.caller, request.path["name"])
