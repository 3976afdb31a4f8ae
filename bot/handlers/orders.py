"""What is asked for: the commit or image that is meant, and one run of a job on it. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.concurrency import Facts, Turn, turn
from bot.catalog.images import Image
from bot.errors import Unfit
from bot.handlers.authorization import RequestContext
from bot.handlers.moments import Later
from bot.store import Session, image_tags
from bot.tables import Build, ImageTag, Run


@dataclass(frozen=True, slots=True)
class Source:
    """The commit of an image that is meant: the image, a full SHA, and how that was named."""

    image: Image
    commit: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a job works on. Who may write to `repository` may ask.

    Only an image that is built has a `source`; one that is not is `ready`, as `digest` where it is to be the
    same as in another run. `repository` is None where no image is built and nobody asked for it anywhere: its
    schedule did. `follows`: nobody named a commit or a tag, so one that was chosen for the job counts. `note`
    says what the asker may not have expected of the name (Markdown).
    """

    repository: str | None
    public: bool
    source: Source | None = None
    ready: Image | None = None
    digest: str | None = None
    follows: bool = False
    note: str | None = None

    @property
    def image(self) -> Image | None:
        """What the job runs in."""
        return self.source.image if self.source else self.ready

    @property
    def definition(self) -> dict[str, Any] | None:
        """What is stored with a run of the image that is not built; of others the build has it."""
        return None if self.ready is None else self.ready.frozen

    def chosen(self, row: ImageTag | None) -> "Target":
        """The same with the tag that was chosen for the job, where that counts."""
        image = self.image
        if row is None or image is None or not counts(row, image):
            return self
        return Target(self.repository, self.public, ready=image.tagged(row.tag))


@dataclass(frozen=True, slots=True)
class Order:
    """One run that is asked for. `index` is the command's place in its request, unique there."""

    context: RequestContext
    index: int
    job: Job
    target: Target
    parameters: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    repeated: Run | None = None  # what that was for this one is for as well
    version: int | None = None  # of the job; None: whichever it is today
    rules: Job | None = None  # whose `concurrency` and `lock` hold; None: the job's own
    tick_at: float | None = None
    override: str | None = None  # why it starts in spite of a freeze, said by somebody who may
    later: Later | None = None  # held until then
    schedule: str | None = None  # whose moment that is, if it has a name
    follows: Run | None = None  # the run after whose success it is; it is for what that was for

    @property
    def not_before(self) -> float | None:
        """Until when it is held; seconds since the epoch."""
        return None if self.later is None else self.later.at

    @property
    def key(self) -> str:
        """By which the run is known, however often it is asked for."""
        return f"{self.context.key}:{self.index}"

    @property
    def pull_request(self) -> int | None:
        """The number of the pull request that it is for, of the repository that it works on."""
        if (other := self.repeated or self.follows) is not None:
            return other.pull_request
        if self.context.occurrence is not None:
            return self.context.occurrence.pull
        pull, is_there = self.context.pull, self.context.repository == self.target.repository
        return pull.number if pull is not None and is_there else None

    @property
    def environment(self) -> str | None:
        """The deployment that it is for."""
        happened = self.context.occurrence
        if (other := self.repeated or self.follows) is not None:
            return other.environment
        return None if happened is None else happened.environment

    @property
    def occurrence(self) -> int | None:
        """What happened on GitHub and is the reason for it, also where it is run again."""
        happened = self.context.occurrence
        if self.repeated is not None:
            return self.repeated.occurrence
        return None if happened is None else happened.identity

    @property
    def turn(self) -> Turn:
        """How the run keeps out of the way of others of its job."""
        source = self.target.source
        facts = Facts(None if source is None else source.ref, self.pull_request, self.environment)
        return turn(self.overlap.concurrency, self.parameters, facts)

    @property
    def overlap(self) -> Job:
        """The definition that says how the run and others keep out of each other's way."""
        return self.rules or self.job


@dataclass(slots=True)
class TransactionCache:
    """What one transaction has found or stored so far: builds by image and commit, and the chosen tags.

    `tags` None: they are looked up one by one, which is for single orders.
    """

    builds: dict[str, Build] = field(default_factory=dict)
    tags: Mapping[str, ImageTag] | None = None

    def tag(self, session: Session, job: str) -> ImageTag | None:
        """The tag that was chosen for a job."""
        return image_tags.of(session, job) if self.tags is None else self.tags.get(job)


def counts(row: ImageTag, image: Image) -> bool:
    """Whether a tag that was chosen for a job still counts: the image says what it said then."""
    return image.name == row.image and (image.reference or image.push) == row.origin


def standing_tag(session: Session, job: Job, images: Mapping[str, Image]) -> ImageTag | None:
    """The tag that the job runs instead of what its image says; None where none that was chosen counts."""
    row, image = image_tags.of(session, job.name), images.get(job.image or "")
    return row if row is not None and image is not None and counts(row, image) else None


def with_tag(image: Image | None, tag: str) -> Image:
    """`image` as that tag of its own repository; `Unfit` where it has no tags, or this is none."""
    try:
        if image is None:
            raise ValueError("this job has no image whose tag could be chosen")
        return image.tagged(tag)
    except ValueError as error:
        sentence = str(error)
        raise Unfit(f"{sentence[0].upper()}{sentence[1:]}.", [(("image_tag",), sentence)]) from None
