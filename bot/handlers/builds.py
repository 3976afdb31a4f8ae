"""`build`: an image is built from a commit, unless it is built from that one already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot import messages
from bot.catalog.catalog import Job
from bot.commands import parser
from bot.errors import AskerError, NotAllowed
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.resolution import TargetResolver
from bot.store import Session, builds
from bot.tables import Build
from bot.text.wording import quoted


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """The build to wait for; `new`: it was begun by that order. `note` is for the asker (Markdown)."""

    build: Build
    new: bool
    note: str | None = None

    @property
    def answer(self) -> str:
        """What is said of it (Markdown)."""
        return "\n\n".join(text for text in (messages.building(self.build), self.note) if text)


class BuildHandler:
    """The verb; it gives an effect for one transaction."""

    def __init__(self, authorization: Authorization, resolver: TargetResolver, enqueuer: Enqueuer) -> None:
        self._authorization = authorization
        self._resolver = resolver
        self._enqueuer = enqueuer

    async def build(self, context: RequestContext, command: parser.Build) -> Callable[[Session], BuildOrder]:
        """What gives the build of that image to wait for; `AskerError` where it is not built here."""
        catalog = self._authorization.catalog(context)
        concerned = catalog.jobs_of_image(command.image)
        if context.caller is not None and not context.caller.may_run_any(job.name for job in concerned):
            raise NotAllowed(
                f"{quoted(context.caller.name)} may not build {quoted(command.image)}.", "scopes"
            )
        image = catalog.image(command.image)
        if image.repository is None:
            raise AskerError(messages.not_built(image))
        await self._admit(context, image.repository, concerned)
        target = await self._resolver.target(context, command.image, command.ref)
        source = target.source
        if source is None:
            raise LookupError("an image that is built has a source")

        def effect(session: Session) -> BuildOrder:
            earlier = builds.usable(
                session, source.image.name, source.commit, source.image.recipe, source.ref
            )
            build = self._enqueuer.need_build(session, context, target)
            return BuildOrder(build, earlier is None, target.note)

        return effect

    async def _admit(self, context: RequestContext, repository: str, concerned: Sequence[Job]) -> None:
        """Raise `AskerError` unless they may write to the repository, or run a job in the image."""
        repository = self._authorization.spelling(repository)
        try:
            await self._authorization.require(context, repository)
        except NotAllowed:
            for job in concerned:
                if await self._authorization.may(context, job):
                    return
            raise
