"""`rerun`: a run is repeated as it was, or changed where said; the same for every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.access.scopes import EXEC
from bot.catalog.catalog import Job
from bot.catalog.exec import is_named
from bot.catalog.images import Image, direct_image
from bot.errors import NotAllowed
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.orders import Order, Target
from bot.handlers.overrides import require_override
from bot.handlers.requirements import RequirementHandler
from bot.handlers.resolution import TargetResolver
from bot.registry import Registry
from bot.tables import Run
from bot.text.wording import quoted


@dataclass(frozen=True, slots=True)
class RerunRequest:
    """What is to be different from the run that is repeated; `latest`: today's definition and image.

    `override`: why it starts in spite of a freeze.
    """

    parameters: Mapping[str, str] = field(default_factory=dict)
    latest: bool = False
    override: str | None = None


class RerunHandler:
    """Makes the order that repeats a run which the asker may have; asks the network, writes nothing."""

    def __init__(
        self,
        authorization: Authorization,
        resolver: TargetResolver,
        requirements: RequirementHandler,
        registry: Registry,
    ) -> None:
        self._authorization = authorization
        self._resolver = resolver
        self._requirements = requirements
        self._registry = registry

    async def order(self, context: RequestContext, old: Run, request: RerunRequest, index: int = 0) -> Order:
        """The order of the run that repeats `old`; `AskerError` where it cannot be repeated.

        A single command has no definition today: it is always repeated as it was.
        """
        today, latest = self._today(context, old), self._authorization.latest_word(context)
        if today is not None and request.latest:
            job, version = today, None
            await self._authorization.admit(context, job)
            target = await self._resolver.target(context, job.image, None)
            await self._requirements.require(context, job, target)
        else:
            if today is not None:
                today.check_changes(request.parameters, latest=latest)
            try:
                job, version = Job.frozen(old.definition), old.version
                target = await self._as_it_was(context, old)
            except ValueError:
                hint = "" if today is None else f"; {latest} takes today's job"
                raise NotAllowed(f"#{old.number} was defined for another version of Errand{hint}.") from None
        parameters, arguments = job.resolve({**old.parameters, **request.parameters}), tuple(old.arguments)
        job.argv(arguments)
        why = request.override
        override = None if why is None else await require_override(self._authorization, context, why)
        return Order(
            context, index, job, target, parameters, arguments, old, version, rules=today, override=override
        )

    def _today(self, context: RequestContext, old: Run) -> Job | None:
        """The definition that the job has today; None for a single command."""
        if old.job == EXEC:
            return None
        job = self._authorization.catalog(context).jobs.get(old.job)
        if job is None:  # whoever took it away did not want it to run any more
            raise NotAllowed(f"{quoted(old.job)} was taken away, so #{old.number} is not run again.")
        return job

    async def _as_it_was(self, context: RequestContext, old: Run) -> Target:
        """What `old` worked on; of a single command only what may still be named."""
        if old.repository is not None and not self._registry.config.allows(old.repository):
            raise NotAllowed(f"Jobs of {quoted(old.repository)} are not run here.")
        target = await self._resolver.same_target(context, old, old.repository or context.repository)
        if old.job == EXEC and target.source is None:
            images = self._registry.catalog.images
            if target.ready is None or not is_named(images, target.ready):
                raise NotAllowed(f"The image of #{old.number} is none that `images` names any more.")
        if target.ready is not None and "/" in target.ready.name:
            self._check_direct(old, target.ready)
        return target

    def _check_direct(self, old: Run, image: Image) -> None:
        """Of an image that the job named itself the registry still has to be listed."""
        try:
            direct_image(image.reference or "", self._registry.config.api.registries)
        except ValueError as error:
            raise NotAllowed(f"The image of #{old.number} is not allowed any more: {error}.") from None
