"""The API's questions and orders about a job that start no run: plan, why, help, pause, resume and skip."""

from collections.abc import Awaitable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.commands import parser
from bot.errors import AskerError
from bot.handlers.questions import QueryHandler
from webhooks.access import Access, Visitor
from webhooks.api import queries, requests, responses
from webhooks.api.answers import json_answer
from webhooks.api.guard import guarded
from webhooks.api.problems import of_asker, wrong
from webhooks.api.reading import body


def routes(questions: QueryHandler, access: Access) -> list[Route]:
    """What to mount."""
    rooms, job = _QueryHandlers(questions), "/api/jobs/{name}"
    return [
        guarded(access, f"{job}/plan", rooms.plan, method="POST"),
        guarded(access, f"{job}/why", rooms.why),
        guarded(access, f"{job}/help", rooms.help),
        guarded(access, f"{job}/pause", rooms.pause, method="POST"),
        guarded(access, f"{job}/resume", rooms.resume, method="POST"),
        guarded(access, f"{job}/skip", rooms.skip, method="POST"),
    ]


class _QueryHandlers:
    """The handlers; whoever gets here may do this to the job that the path names."""

    def __init__(self, questions: QueryHandler) -> None:
        self._questions = questions

    async def plan(self, request: Request, visitor: Visitor) -> Response:
        """What a start with the same body would do."""
        name, given = request.path_params["name"], await body(request, requests.Start)
        command = parser.Plan(name, given.parameters, given.ref, given.image_tag, tuple(given.arguments))
        return await _said(name, self._questions.plan(visitor.caller, command))

    async def why(self, request: Request, visitor: Visitor) -> Response:
        """Why the job did or did not run."""
        name = request.path_params["name"]
        return await _said(name, self._questions.why(visitor.caller, name))

    async def help(self, request: Request, visitor: Visitor) -> Response:
        """What the job does and takes."""
        name, page = request.path_params["name"], queries.number(queries.read(request, queries.HELP), "page")

        async def answer() -> str:
            return self._questions.help(visitor.caller, name, page or 1)

        return await _said(name, answer())

    async def pause(self, request: Request, visitor: Visitor) -> Response:
        """Hold the schedule back."""
        name, given = request.path_params["name"], await body(request, requests.Pause)
        if given.until is not None and given.duration is not None:
            raise wrong([("/duration", "expected either until or duration, not both")])
        command = parser.Pause(name, given.until, given.duration)
        return await _said(name, self._questions.pause(visitor.caller, command))

    async def resume(self, request: Request, visitor: Visitor) -> Response:
        """Let the schedule go on."""
        name = request.path_params["name"]
        await body(request, requests.Empty)
        return await _said(name, self._questions.resume(visitor.caller, name))

    async def skip(self, request: Request, visitor: Visitor) -> Response:
        """Leave out the next time of the schedule."""
        name = request.path_params["name"]
        await body(request, requests.Empty)
        return await _said(name, self._questions.skip(visitor.caller, name))


async def _said(job: str, answer: Awaitable[str | None]) -> Response:
    try:
        text = await answer
    except AskerError as error:
        raise of_asker(error) from None
    told: responses.Said = {"job": job, "text": text or ""}
    return json_answer(told)
