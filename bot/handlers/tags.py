"""The tag of its image that a job runs from now on, until something else is said."""

from collections.abc import Callable

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.errors import Missing, NotAllowed, ProblemType
from bot.handlers.orders import with_tag
from bot.registry import Registry
from bot.store import Session, Store, image_tags
from bot.tables import ImageTag
from bot.text.wording import quoted


class ImageTagHandler:
    """Chooses and drops tags for who may start the job; nothing is run."""

    def __init__(self, registry: Registry, store: Store, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock

    async def move(self, name: str, tag: str, by: str, check: Callable[[Session], None]) -> ImageTag:
        """Let the job run this tag of its image; `check` raises in the transaction where that may not be."""
        self._require_containers()
        with_tag(self._image(self._job(name)), tag)

        def write(session: Session) -> ImageTag:
            check(session)
            return self.choose(session, self._job(name), tag, by)

        return await self._store.write(write)

    async def follow(self, name: str) -> None:
        """Let the job run again what its image says."""
        self._job(name)
        await self._store.write(lambda s: image_tags.drop(s, name))

    def choose(self, session: Session, job: Job, tag: str, by: str) -> ImageTag:
        """The same within a transaction, for a run that brings its tag along."""
        image = self._image(job)
        origin = None if image is None else image.reference or image.push
        if image is None or origin is None:
            raise NotAllowed(f"The image of {quoted(job.name)} has no tags any more.")
        return image_tags.choose(
            session,
            ImageTag(
                job=job.name,
                image=image.name,
                origin=origin,
                tag=tag,
                moved_at=self._clock(),
                moved_by=by,
            ),
        )

    def _job(self, name: str) -> Job:
        jobs = self._registry.catalog.jobs
        if name not in jobs:
            raise Missing("There is no such job.", ProblemType.NO_SUCH_JOB)
        return jobs[name]

    def _image(self, job: Job) -> Image | None:
        """What the job runs in; `Missing` where that was taken away."""
        return None if job.image is None else self._registry.catalog.image(job.image)

    def _require_containers(self) -> None:
        if self._registry.config.engine.kind == "process":
            raise NotAllowed(
                "This needs an engine with containers: the process engine has no images of a registry, and"
                " runs everything as Errand's own user."
            )
