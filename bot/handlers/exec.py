"""`exec`: one command in an image that `images` names; on the process engine in a checkout of its commit."""

from bot.catalog.exec import Single, image_of, job_of
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Order, Target
from bot.handlers.resolution import TargetResolver
from bot.registry import Registry


class ExecHandler:
    """Makes the order of a single command; asks the network, writes nothing."""

    def __init__(self, resolver: TargetResolver, registry: Registry) -> None:
        self._resolver = resolver
        self._registry = registry

    async def order(self, context: RequestContext, single: Single) -> Order:
        """The order; `Unfit` where the image may not be named or the command cannot run."""
        image = image_of(self._registry.catalog.images, single.image)
        job = job_of(single, image)
        if image.repository is None:
            target = Target(None, False, ready=image)
        else:
            target = await self._resolver.target(context, image.name, None)
        return Order(context, 0, job, target, {})
