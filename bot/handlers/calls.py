"""What callers over HTTP ask for: start, stop and repeat runs, single commands, another tag of an image.

The network is asked first, then one short transaction decides. A request with a key is looked for before
anything else, so that it gives the run it gave, whatever has changed since.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from bot.access.callers import Caller
from bot.access.scopes import EXEC
from bot.catalog.catalog import Job
from bot.catalog.exec import Single, image_of, is_named, job_of
from bot.catalog.images import Image
from bot.context import Context
from bot.errors import Elsewhere, Missing, NotAllowed, ProblemType, Refused, RetryLater
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Order, Target, with_tag
from bot.store import Session, idempotency, image_tags, runs
from bot.store.idempotency import KEEP_KEYS
from bot.tables import Idempotency, ImageTag, Run
from bot.text.wording import quoted


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a run is to be started with. `parameters` are as the asker wrote them."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    ref: str | None = None
    image_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is to be different from the run that is repeated; `latest`: today's definition and image."""

    parameters: Mapping[str, str] = field(default_factory=dict)
    latest: bool = False


@dataclass(frozen=True, slots=True)
class StartResult:
    """The run that came of a call; `new` is False where the same call had made it before."""

    run: Run
    new: bool


@dataclass(frozen=True, slots=True)
class StartConditions:
    """On what terms a run is started: the caller's idempotency key, and what has to hold in its transaction.

    `moves`: the tag that is asked for is the job's from then on. `check` raises where the run may not be.
    """

    key: str | None = None
    moves: bool = False
    check: Callable[[Session], None] | None = None


PLAIN = StartConditions()


class CallHandler:
    """Raises `bot.errors.AskerError`, whose kind says what is wrong, and `RetryLater` for the database."""

    def __init__(self, tools: Context) -> None:
        self._tools = tools
        self._starting = Enqueuer(tools, Authorization(tools))

    async def start(
        self, caller: Caller, name: str, wanted: StartRequest, terms: StartConditions = PLAIN
    ) -> StartResult:
        """Start a run of the job `name`."""
        self._admit(caller, name)
        told = _fingerprint("start", name, asdict(wanted) | {"moves": terms.moves})
        if (known := await self._known(caller, terms, told)) is not None:
            return known
        job = self._job(name)
        values, asked = job.resolve(wanted.parameters), self._asked(caller)
        job.argv(wanted.arguments)
        target = await self._target(asked, job.image, wanted.ref, wanted.image_tag)
        order = Order(asked, 0, job, target, values, wanted.arguments)
        return await self._enqueue(caller, order, terms, told, wanted.image_tag)

    async def move(
        self, caller: Caller, name: str, tag: str, check: Callable[[Session], None] | None = None
    ) -> ImageTag:
        """Let the job `name` run this tag of its image from now on; nothing is run."""
        self._admit(caller, name)
        self._require_containers()
        with_tag(self._image(self._job(name)), tag)

        def write(session: Session) -> ImageTag:
            if check is not None:
                check(session)
            return self._choose(session, caller, self._job(name), tag)

        return await self._tools.store.write(write)

    async def follow(self, caller: Caller, name: str) -> None:
        """Let the job `name` run again what its image says."""
        self._admit(caller, name)
        self._job(name)
        await self._tools.store.write(lambda s: image_tags.drop(s, name))

    async def cancel(self, caller: Caller, number: int) -> Run:
        """Ask a run to stop; gives it as it is then. One that has finished stays as it is."""
        await self._run(caller, number)
        now = self._tools.clock()

        def write(session: Session) -> Run:
            try:
                return runs.request_stop(session, number, by=caller.name, now=now)
            except LookupError:  # removed meanwhile
                raise Missing(f"There is no run #{number}.", ProblemType.NO_SUCH_RUN) from None

        return await self._tools.store.write(write)

    async def rerun(
        self,
        caller: Caller,
        number: int | None,
        changes: Overrides | None = None,
        terms: StartConditions = PLAIN,
    ) -> StartResult:
        """Repeat a run as it was, or changed where said; None: the last one that the caller started."""
        changes = changes or Overrides()
        told = _fingerprint("rerun", "last" if number is None else str(number), asdict(changes))
        if (known := await self._known(caller, terms, told)) is not None:
            return known
        old = await self._run(caller, number)
        number = old.identity
        rules = None if old.job == EXEC else self._today(old)
        try:
            job = rules if rules is not None and changes.latest else Job.frozen(old.definition)
        except ValueError:
            raise NotAllowed(
                f"#{number} was defined for another version of Errand; `latest` takes today's job."
            ) from None
        asked = self._asked(caller)
        if rules is not None and not changes.latest:
            rules.check_changes(changes.parameters, latest="`latest`")
        if rules is not None and changes.latest:
            target, version = await self._target(asked, job.image, None, None), None
        else:
            target, version = await self._as_it_was(asked, old), old.version
        values, arguments = job.resolve({**old.parameters, **changes.parameters}), tuple(old.arguments)
        job.argv(arguments)
        order = Order(asked, 0, job, target, values, arguments, number, version, rules=rules)
        return await self._enqueue(caller, order, terms, told)

    async def execute(self, caller: Caller, single: Single, terms: StartConditions = PLAIN) -> StartResult:
        """Run one command; on the process engine in a checkout of a commit of the image's repository."""
        self._admit(caller, EXEC)
        told = _fingerprint(EXEC, single.image, asdict(single))
        if (known := await self._known(caller, terms, told)) is not None:
            return known
        image, asked = image_of(self._tools.registry.catalog.images, single.image), self._asked(caller)
        job = job_of(single, image)
        if image.repository is None:
            target = Target(None, False, ready=image)
        else:
            target = await self._target(asked, image.name, None, None)
        return await self._enqueue(caller, Order(asked, 0, job, target, {}), terms, told)

    # Who and what ---------------------------------------------------------------------------------

    @staticmethod
    def _admit(caller: Caller, job: str) -> None:
        if not caller.may_run(job):
            raise NotAllowed(f"{quoted(caller.name)} may not start {quoted(job)}.")

    def _asked(self, caller: Caller) -> RequestContext:
        """The request; its key is its own, so nothing but an idempotency key makes two requests one."""
        key = f"{caller.cause}:{self._tools.nonce()}"
        return RequestContext(key, caller.cause, caller.name, None, caller=caller)

    def _job(self, name: str) -> Job:
        jobs = self._tools.registry.catalog.jobs
        if name not in jobs:
            raise Missing("There is no such job.", ProblemType.NO_SUCH_JOB)
        return jobs[name]

    def _today(self, old: Run) -> Job:
        job = self._tools.registry.catalog.jobs.get(old.job)
        if job is None:
            raise NotAllowed(f"{quoted(old.job)} was taken away, so #{old.number} is not run again.")
        return job

    async def _run(self, caller: Caller, number: int | None) -> Run:
        """The run of that number, or (None) the last one that the caller started."""

        def read(session: Session) -> Run | None:
            return runs.latest(session, actor=caller.name) if number is None else runs.get(session, number)

        run = await self._tools.store.read(read)
        if number is None and run is None:
            raise Missing("There is no run that you started.", ProblemType.NO_SUCH_RUN)
        if run is None or not caller.may_run(run.job):
            raise Missing(f"There is no run #{number}.", ProblemType.NO_SUCH_RUN)
        return run

    def _require_containers(self) -> None:
        if self._tools.config.engine.kind == "process":
            raise NotAllowed(
                "This needs an engine with containers: the process engine has no images of a registry, and"
                " runs everything as Errand's own user."
            )

    # What it runs in ------------------------------------------------------------------------------

    async def _target(
        self, asked: RequestContext, image: str | None, ref: str | None, tag: str | None
    ) -> Target:
        try:
            return await self._starting.target(asked, image, ref, tag)
        except (RetryLater, Refused):
            raise Elsewhere("GitHub does not answer, so the commit is not known; try again soon.") from None

    async def _as_it_was(self, asked: RequestContext, old: Run) -> Target:
        """What `old` worked on; of a single command only what may still be named."""
        if old.repository is not None and not self._tools.config.allows(old.repository):
            raise NotAllowed(f"Jobs of {quoted(old.repository)} are not run here.")
        try:
            target = await self._starting.same_target(asked, old, old.repository)
        except ValueError:
            raise NotAllowed(f"#{old.number} was defined for another version of Errand.") from None
        except (RetryLater, Refused):
            raise Elsewhere(
                "GitHub does not answer, so the run cannot be repeated; try again soon."
            ) from None
        if old.job == EXEC:
            images = self._tools.registry.catalog.images
            if target.source is None and (target.ready is None or not is_named(images, target.ready)):
                raise NotAllowed(f"The image of #{old.number} is none that `images` names any more.")
        return target

    # Tags -----------------------------------------------------------------------------------------

    def _image(self, job: Job) -> Image | None:
        """What the job runs in; `Missing` where that was taken away."""
        return None if job.image is None else self._tools.registry.catalog.image(job.image)

    def _choose(self, session: Session, caller: Caller, job: Job, tag: str) -> ImageTag:
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
                moved_at=self._tools.clock(),
                moved_by=caller.name,
            ),
        )

    # One transaction ------------------------------------------------------------------------------

    async def _known(self, caller: Caller, terms: StartConditions, told: str) -> StartResult | None:
        """The run that the same request gave before."""
        if terms.key is None:
            return None
        return await self._tools.store.read(lambda s: self._before(s, caller, terms, told))

    def _before(
        self, session: Session, caller: Caller, terms: StartConditions, told: str
    ) -> StartResult | None:
        since = self._tools.clock() - KEEP_KEYS
        row = None
        if terms.key is not None:
            row = idempotency.find(session, caller.name, terms.key, since=since)
        if row is None:
            return None
        if row.fingerprint != told:
            raise NotAllowed("This Idempotency-Key was used for another request; choose a new one.")
        run = None if row.run_number is None else runs.get(session, row.run_number)
        if run is None or not caller.may_run(run.job):
            raise NotAllowed(f"The run of this Idempotency-Key, #{row.run_number}, was removed since.")
        return StartResult(run, False)

    async def _enqueue(
        self, caller: Caller, order: Order, terms: StartConditions, told: str, tag: str | None = None
    ) -> StartResult:
        def write(session: Session) -> StartResult:
            if terms.check is not None:
                terms.check(session)
            if terms.key is not None:
                idempotency.hold(session)
                if (known := self._before(session, caller, terms, told)) is not None:
                    return known
            if terms.moves and tag is not None:
                self._choose(session, caller, order.job, tag)
            run = self._starting.enqueue(session, order)
            if terms.key is not None:
                row = Idempotency(
                    caller=caller.name,
                    key=terms.key,
                    fingerprint=told,
                    run_number=run.identity,
                    created_at=self._tools.clock(),
                )
                idempotency.remember(session, row)
            return StartResult(run, True)

        return await self._tools.store.write(write)


def _fingerprint(what: str, subject: str, said: Mapping[str, object]) -> str:
    """What a request said, in 64 characters."""
    text = json.dumps([what, subject, said], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
