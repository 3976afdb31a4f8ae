"""A chat's commands that start no run: about a job, about a target that jobs share, and building an image."""

from collections.abc import Callable

import structlog

from bot.commands import parser
from bot.handlers.approvals import Answer
from bot.handlers.questions import QueryHandler
from bot.states import EVERYTHING
from webhooks.api import lock_responses, queries, requests, responses, schedule_responses
from webhooks.api.operation import ApiRequest, Reply
from webhooks.api.problems import wrong

log = structlog.get_logger()


class ChatCommandHandlers:
    """Whoever gets here may do this to the job that the path names, or one that target or image concern."""

    def __init__(self, questions: QueryHandler, clock: Callable[[], float]) -> None:
        self._questions = questions
        self._clock = clock

    async def plan_job(self, request: ApiRequest[requests.Plan]) -> responses.ChatAnswer:
        """What a start with the same body would do; starts nothing."""
        name, start = request.path["name"], request.body
        command = parser.Plan(
            name, start.parameters, start.ref, start.image_tag, tuple(start.arguments), start.override
        )
        return responses.ChatAnswer.of(
            job=name, text=await self._questions.plan(request.visitor.caller, command)
        )

    async def explain_job(self, request: ApiRequest) -> responses.ChatAnswer:
        """Why a job did or did not run."""
        name = request.path["name"]
        return responses.ChatAnswer.of(job=name, text=await self._questions.why(request.visitor.caller, name))

    async def describe_job(self, request: ApiRequest) -> responses.ChatAnswer:
        """What a job does, and which parameters it takes."""
        name, page = request.path["name"], queries.number(request.query, "page") or 1
        return responses.ChatAnswer.of(
            job=name, text=self._questions.help(request.visitor.caller, name, page)
        )

    async def pause_job(self, request: ApiRequest[requests.Pause]) -> responses.ChatAnswer:
        """Holds the schedules of a job back."""
        name, pause = request.path["name"], request.body
        if pause.until is not None and pause.duration is not None:
            raise wrong([("/duration", "expected either until or duration, not both")])
        command = parser.Pause(name, pause.until, pause.duration, pause.schedule, pause.reason)
        return responses.ChatAnswer.of(
            job=name, text=await self._questions.pause(request.visitor.caller, command)
        )

    async def pause_schedules(self, request: ApiRequest[requests.PauseAll]) -> responses.Answered:
        """Holds all schedules back."""
        pause = request.body
        if pause.until is not None and pause.duration is not None:
            raise wrong([("/duration", "expected either until or duration, not both")])
        command = parser.PauseAll(pause.until, pause.duration, pause.reason)
        return responses.Answered.of(text=await self._questions.pause(request.visitor.caller, command))

    async def resume_schedules(self, request: ApiRequest[requests.Empty]) -> responses.Answered:
        """Lets all schedules go on that were held back together."""
        caller = request.visitor.caller
        return responses.Answered.of(text=await self._questions.resume(caller, parser.ResumeAll()))

    async def resume_job(self, request: ApiRequest[requests.OneSchedule]) -> responses.ChatAnswer:
        """Lets the schedules of a job go on."""
        name = request.path["name"]
        command = parser.Resume(name, request.body.schedule)
        return responses.ChatAnswer.of(
            job=name, text=await self._questions.resume(request.visitor.caller, command)
        )

    async def skip_job(self, request: ApiRequest[requests.OneSchedule]) -> responses.ChatAnswer:
        """Leaves out the next time of the schedules of a job."""
        name = request.path["name"]
        command = parser.Skip(name, request.body.schedule)
        return responses.ChatAnswer.of(
            job=name, text=await self._questions.skip(request.visitor.caller, command)
        )

    async def approve_run(self, request: ApiRequest[requests.Empty]) -> responses.ApprovalAnswer:
        """Says yes to a run that waits for that; nobody says it to what they asked for themselves."""
        caller = request.visitor.caller
        answer = await self._questions.approve(caller, request.number)
        log.info("run.approved", number=request.number, by=caller.name)
        return self._answered(answer)

    async def deny_run(self, request: ApiRequest[requests.Denial]) -> responses.ApprovalAnswer:
        """Says no to a run that waits for a yes, which ends it."""
        caller = request.visitor.caller
        answer = await self._questions.deny(caller, request.number, request.body.reason)
        log.info("run.denied", number=request.number, by=caller.name)
        return self._answered(answer)

    def _answered(self, answer: Answer) -> responses.ApprovalAnswer:
        """A run that waited for a yes has made no attempt yet."""
        run = responses.ListedRun.of_run(answer.run, (), self._clock())
        return responses.ApprovalAnswer.of(run=run, text=answer.text)

    async def backfill_job(
        self, request: ApiRequest[requests.BackfillRequest]
    ) -> Reply[schedule_responses.BackfillAnswer]:
        """Runs a job for due moments of its schedule that have passed, one by one."""
        body = request.body
        command = parser.Backfill(request.path["name"], body.since, body.until, body.schedule, body.again)
        made = await self._questions.backfill(request.visitor.caller, command)
        answer = schedule_responses.BackfillAnswer.of(
            runs=list(made.numbers), skipped=made.skipped, text=made.text
        )
        return Reply(answer, 201, f"/api/runs/{made.numbers[-1]}")

    async def lock_target(self, request: ApiRequest[requests.LockRequest]) -> lock_responses.LockAnswer:
        """Locks a target, a `lock` of jobs or a job: what has begun and what the caller starts goes on."""
        return await self._lock(request, request.path["target"])

    async def lock_everything(self, request: ApiRequest[requests.LockRequest]) -> lock_responses.LockAnswer:
        """Locks all jobs there are."""
        return await self._lock(request, EVERYTHING)

    async def _lock(
        self, request: ApiRequest[requests.LockRequest], target: str
    ) -> lock_responses.LockAnswer:
        body, caller = request.body, request.visitor.caller
        command = parser.Lock(target, body.reason, body.duration, body.everyone)
        lock, text = await self._questions.lock(caller, command)
        log.info("lock.closed", target=target, by=caller.name)
        return lock_responses.LockAnswer.of(target=target, closed=lock, text=text)

    async def unlock_target(self, request: ApiRequest) -> lock_responses.UnlockAnswer:
        """Unlocks a target, whoever locked it; what waited for it goes on."""
        return await self._unlock(request, request.path["target"])

    async def unlock_everything(self, request: ApiRequest) -> lock_responses.UnlockAnswer:
        """Unlocks all jobs; those that are locked by themselves stay so."""
        return await self._unlock(request, EVERYTHING)

    async def _unlock(self, request: ApiRequest, target: str) -> lock_responses.UnlockAnswer:
        caller = request.visitor.caller
        text = await self._questions.unlock(caller, target)
        log.info("lock.opened", target=target, by=caller.name)
        return lock_responses.UnlockAnswer.of(target=target, text=text)

    async def build_image(self, request: ApiRequest[requests.BuildRequest]) -> Reply[responses.BuildAnswer]:
        """Builds an image, unless it is built from that commit."""
        command = parser.Build(request.path["image"], request.body.ref)
        order = await self._questions.build(request.visitor.caller, command)
        answer = responses.BuildAnswer.of_build(order.build, self._clock(), text=order.answer)
        return Reply(answer, 201 if order.new else 200, f"/api/builds/{answer.number}")
