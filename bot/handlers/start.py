"""`start`: what a run is to be started with becomes its order, the same for every door.

Comments, Slack, the API, hooks and workflows bring a `StartRequest`, for which GitHub is asked; pushes and
schedules know the target already. `plan` makes its draft of the same order.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.catalog.catalog import Job
from bot.catalog.timetables import Timetable
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.moments import MomentReader
from bot.handlers.orders import Order, Target
from bot.handlers.overrides import require_override
from bot.handlers.requirements import RequirementHandler
from bot.handlers.resolution import TargetResolver
from bot.tables import Run


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a run is to be started with. `parameters` are as the asker wrote them.

    It starts `at` a time as typed, after a `delay` in seconds, or at once; `override` says why it starts in
    spite of a freeze.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    ref: str | None = None
    image_tag: str | None = None
    override: str | None = None
    at: str | None = None
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class StartResult:
    """The run that came of a request; `new` is False where the same request had made it before."""

    run: Run
    new: bool


class StartHandler:
    """Makes orders of requests; asks the network, writes nothing."""

    def __init__(
        self,
        authorization: Authorization,
        resolver: TargetResolver,
        requirements: RequirementHandler,
        moments: MomentReader,
    ) -> None:
        self._authorization = authorization
        self._moments = moments
        self._resolver = resolver
        self._requirements = requirements

    async def order(self, context: RequestContext, name: str, request: StartRequest, index: int = 0) -> Order:
        """The order of a run of the job `name`; `AskerError` where there can be none.

        `index` is its place among all that this request asks for.
        """
        order = await self.draft(context, name, request, index)
        await self._requirements.require(context, order.job, order.target)
        return order

    async def draft(self, context: RequestContext, name: str, request: StartRequest, index: int = 0) -> Order:
        """The same, whatever the job requires of a pull request."""
        job = self._authorization.catalog(context).job(name)
        values = values_of(job, request)
        await self._authorization.admit(context, job)
        why = request.override
        override = None if why is None else await require_override(self._authorization, context, why)
        target = await self._resolver.target(context, job.image, request.ref, request.image_tag)
        later = await self._moments.later(context, job, request.at, request.delay)
        return Order(context, index, job, target, values, request.arguments, override=override, later=later)


def values_of(job: Job, request: StartRequest) -> dict[str, str]:
    """The value of every parameter; `Unfit` unless the job takes these parameters and arguments."""
    values = job.resolve(request.parameters)
    job.argv(request.arguments)
    return values


def default_order(context: RequestContext, job: Job, target: Target, index: int) -> Order:
    """The order of a run for which nobody says anything: pushes know the target already."""
    return Order(context, index, job, target, values_of(job, StartRequest()))


def scheduled_order(
    context: RequestContext, job: Job, target: Target, at: float, timetable: Timetable
) -> Order:
    """The order of the run that `timetable` has for the due moment `at`."""
    values = values_of(job, StartRequest(timetable.parameters))
    return Order(context, int(at), job, target, values, tick_at=at, schedule=timetable.name)
