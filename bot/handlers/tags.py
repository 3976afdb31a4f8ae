"""The tag of its image that a job runs from now on, until something else is said."""

from collections.abc import Callable

from bot.access.callers import Caller
from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.errors import Missing, NotAllowed, ProblemType
from bot.handlers.journal import rule_of_caller
from bot.handlers.orders import with_tag
from bot.registry import Registry
from bot.states import EntryKind
from bot.store import Session, Store, image_tags, journal
from bot.tables import ImageTag, JournalEntry
from bot.text.wording import quoted


class ImageTagHandler:
    """Chooses and drops tags for who may start the job; nothing is run."""

    def __init__(self, registry: Registry, store: Store, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock

    async def move(self, name: str, tag: str, caller: Caller, check: Callable[[Session], None]) -> ImageTag:
        """Let the job run this tag of its image; `check` raises in the transaction where that may not be."""
        self._require_containers()
        with_tag(self._image(self._job(name)), tag)

        def write(session: Session) -> ImageTag:
            check(session)
            return self.choose(session, self._job(name), tag, caller)

        return await self._store.write(write)

    async def follow(self, name: str, caller: Caller) -> None:
        """Let the job run again what its image says."""
        self._job(name)

        def write(session: Session) -> None:
            row = image_tags.drop(session, name)
            if row is not None:
                self._tell(session, row, EntryKind.TAG_DROPPED, caller)

        await self._store.write(write)

    def choose(self, session: Session, job: Job, tag: str, caller: Caller) -> ImageTag:
        """The same within a transaction, for a run that brings its tag along."""
        image = self._image(job)
        origin = None if image is None else image.reference or image.push
        if image is None or origin is None:
            raise NotAllowed(f"The image of {quoted(job.name)} has no tags any more.")
        row = ImageTag(
            job=job.name,
            image=image.name,
            origin=origin,
            tag=tag,
            moved_at=self._clock(),
            moved_by=caller.name,
        )
        self._tell(session, row, EntryKind.TAG_MOVED, caller)
        return image_tags.choose(session, row)

    def _tell(self, session: Session, row: ImageTag, kind: EntryKind, caller: Caller) -> None:
        """Write into the journal that another tag is the job's from now on, or none."""
        entry = JournalEntry(
            at=self._clock(),
            kind=kind,
            actor=caller.name,
            cause=caller.cause,
            subject=f"job:{row.job}",
            job=row.job,
            rule=rule_of_caller(caller, row.job),
            facts={"image": row.image, "tag": row.tag},
        )
        journal.record(session, [entry])

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
