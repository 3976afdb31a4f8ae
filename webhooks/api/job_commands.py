"""A chat's commands about a job that start no run: plan, why, help, pause, resume and skip."""

from bot.commands import parser
from bot.handlers.questions import QueryHandler
from webhooks.api import queries, requests, responses
from webhooks.api.operation import ApiRequest
from webhooks.api.problems import wrong


class JobCommandHandlers:
    """Whoever gets here may do this to the job that the path names."""

    def __init__(self, questions: QueryHandler) -> None:
        self._questions = questions

    async def plan_job(self, request: ApiRequest[requests.Start]) -> responses.Said:
        """What a start with the same body would do; starts nothing."""
        name, start = request.path["name"], request.body
        command = parser.Plan(name, start.parameters, start.ref, start.image_tag, tuple(start.arguments))
        return _in_chat(name, await self._questions.plan(request.visitor.caller, command))

    async def explain_job(self, request: ApiRequest) -> responses.Said:
        """Why a job did or did not run."""
        name = request.path["name"]
        return _in_chat(name, await self._questions.why(request.visitor.caller, name))

    async def describe_job(self, request: ApiRequest) -> responses.Said:
        """What a job does, and which parameters it takes."""
        name, page = request.path["name"], queries.number(request.query, "page") or 1
        return _in_chat(name, self._questions.help(request.visitor.caller, name, page))

    async def pause_job(self, request: ApiRequest[requests.Pause]) -> responses.Said:
        """Holds the schedule of a job back."""
        name, pause = request.path["name"], request.body
        if pause.until is not None and pause.duration is not None:
            raise wrong([("/duration", "expected either until or duration, not both")])
        command = parser.Pause(name, pause.until, pause.duration)
        return _in_chat(name, await self._questions.pause(request.visitor.caller, command))

    async def resume_job(self, request: ApiRequest[requests.Empty]) -> responses.Said:
        """Lets the schedule of a job go on."""
        name = request.path["name"]
        return _in_chat(name, await self._questions.resume(request.visitor.caller, name))

    async def skip_job(self, request: ApiRequest[requests.Empty]) -> responses.Said:
        """Leaves out the next time of the schedule of a job."""
        name = request.path["name"]
        return _in_chat(name, await self._questions.skip(request.visitor.caller, name))


def _in_chat(job: str, text: str | None) -> responses.Said:
    return responses.Said(job=job, text=text or "")
