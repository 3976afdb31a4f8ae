"""A chat's commands about what several jobs share: locking and unlocking a target, building an image."""

from collections.abc import Callable

import structlog

from bot.commands import parser
from bot.handlers.questions import QueryHandler
from webhooks.api import requests, responses
from webhooks.api.operation import ApiRequest, Reply

log = structlog.get_logger()


class TargetHandlers:
    """Whoever gets here may run one of the jobs that the target or the image concerns."""

    def __init__(self, questions: QueryHandler, clock: Callable[[], float]) -> None:
        self._questions = questions
        self._clock = clock

    async def lock_target(self, request: ApiRequest[requests.LockRequest]) -> responses.LockAnswer:
        """Locks a target, which is a `lock` of jobs or a job: what has begun goes on, nothing else starts."""
        target, caller = request.path["target"], request.visitor.caller
        command = parser.Lock(target, request.body.reason, request.body.duration)
        lock, text = await self._questions.lock(caller, command)
        log.info("lock.closed", target=target, by=caller.name)
        return responses.LockAnswer.of(target=target, closed=lock, text=text)

    async def unlock_target(self, request: ApiRequest) -> responses.UnlockAnswer:
        """Unlocks a target, whoever locked it; what waited for it goes on."""
        target, caller = request.path["target"], request.visitor.caller
        text = await self._questions.unlock(caller, target)
        log.info("lock.opened", target=target, by=caller.name)
        return responses.UnlockAnswer(target=target, text=text or "")

    async def build_image(self, request: ApiRequest[requests.BuildRequest]) -> Reply[responses.BuildAnswer]:
        """Builds an image, unless it is built from that commit."""
        command = parser.Build(request.path["image"], request.body.ref)
        order = await self._questions.build(request.visitor.caller, command)
        answer = responses.BuildAnswer.of_build(order.build, self._clock(), text=order.answer)
        return Reply(answer, 201 if order.new else 200, f"/api/builds/{answer.number}")
