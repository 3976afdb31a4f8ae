"""`plan` and `why`: what would run, and what kept a job from running. Nothing is started or changed.

Both answer only who may run the job; in a public place only of what that place may speak of.
"""

from collections.abc import Callable, Sequence

from bot import messages
from bot.catalog.catalog import Job
from bot.catalog.due import plans_of
from bot.commands import parser
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.conditions import timing, waiting
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Order, Target
from bot.handlers.requirements import RequirementHandler
from bot.handlers.start import StartHandler, StartRequest
from bot.messages.chains import order_lines
from bot.posting.audience import outward
from bot.repositories import Repositories
from bot.store import Session, journal, locks, occurrences, push_verdicts, runs, ticks
from bot.tables import OccurrenceSeen

TICKS = 5
"""Ticks that are told, of those to come and of those that were."""
PUSHES = 5
"""Pushes that are told."""
EVENTS, EVENTS_READ = 5, 50
"""Other events of the repository that are told, and of which those of the job are looked for."""
REFUSALS = 5
"""Refused commands that are told."""

Effect = Callable[[Session], str | None]


class Planner:
    """`plan`; gives an effect for one transaction."""

    def __init__(
        self,
        starts: StartHandler,
        requirements: RequirementHandler,
        enqueuer: Enqueuer,
        clock: Callable[[], float],
    ) -> None:
        self._starts = starts
        self._requirements = requirements
        self._enqueuer = enqueuer
        self._clock = clock

    async def plan(self, context: RequestContext, command: parser.Plan) -> Effect:
        """What `run` with the same words would do; raises the `AskerError` that it would raise."""
        request = StartRequest(
            command.parameters, command.arguments, command.ref, command.image_tag, command.override
        )
        order = await self._starts.draft(context, command.name, request)
        verdicts = await self._requirements.verdicts(context, order.job, order.target)

        def effect(session: Session) -> str:
            now, job = self._clock(), order.job
            prospect = self._enqueuer.prospect(session, order)
            last = runs.latest(session, job=job.name, repository=prospect.run.repository, begun=True)
            shown = messages.Prospect(
                run=prospect.run,
                build=prospect.build,
                variables=sorted(job.env),
                requirements=verdicts,
                refused=prospect.refusal,
                waiting=waiting(session, prospect, now),
                passed=locks.passed(session, prospect.run, now=now),
                timing=timing(session, job, now, TICKS),
                last=last,
                order=order_lines(job.predecessors, job.successors, public=context.public),
                hidden=context.public and last is not None and not last.public,
            )
            text = messages.plan(shown, who=context.login or context.actor)
            freeze = self._enqueuer.overridden(session, order)
            notes = [None if freeze is None else messages.despite(freeze), order.target.note]
            return "\n\n".join([text, *filter(None, notes)])

        return effect


class WhyHandler:
    """`why`; gives an effect for one transaction."""

    def __init__(
        self,
        authorization: Authorization,
        repositories: Repositories,
        enqueuer: Enqueuer,
        clock: Callable[[], float],
    ) -> None:
        self._authorization = authorization
        self._repositories = repositories
        self._enqueuer = enqueuer
        self._clock = clock

    async def why(self, context: RequestContext, command: parser.Why) -> Effect:
        """What kept the job from running, as far as it is known."""
        catalog = self._authorization.catalog(context)
        job = catalog.job(command.name)
        await self._authorization.admit(context, job)
        built = catalog.repository_of(job) is not None
        repository = catalog.repository_of(job) or context.repository
        known_by = await self._known_by(repository) if built and repository is not None else ()

        def effect(session: Session) -> str:
            now = self._clock()
            order = Order(context, 0, job, Target(repository, context.public), job.defaults)
            prospect = self._enqueuer.prospect(session, order)
            last = runs.latest(session, job=job.name, repository=repository)
            reasons = messages.Reasons(
                job=job.name,
                pushes=push_verdicts.newest(session, repositories=known_by, image=job.image, limit=PUSHES)
                if known_by and job.image
                else None,
                on_push="push" in job.on,
                starters=job.starters,
                events=_events(session, job.name, known_by),
                refusals=journal.refusals(session, job=job.name, repository=repository, limit=REFUSALS)
                if repository
                else (),
                ticks=ticks.newest(session, *_keys(job), limit=TICKS),
                timing=timing(session, job, now, TICKS),
                refused=prospect.refusal,
                waiting=waiting(session, prospect, now),
                passed=locks.passed(session, prospect.run, now=now),
                order=order_lines(job.predecessors, job.successors, public=context.public),
                last=outward(last) if context.public and last is not None else last,
                approval=None if job.approval is None else job.approval.model_dump(mode="json"),
                public=context.public,
            )
            return messages.why(reasons, who=context.login or context.actor)

        return effect

    async def _known_by(self, repository: str) -> list[str]:
        """As what a repository stands in the rows of its pushes: by its number, or by its name."""
        identity = await self._repositories.known(repository)
        number = [str(identity.number)] if identity is not None and identity.number is not None else []
        return [*number, repository.casefold()]


def _events(session: Session, job: str, repositories: Sequence[str]) -> Sequence[OccurrenceSeen]:
    """The last things that happened in the repository and concerned the job."""
    rows = occurrences.newest(session, repositories=repositories, limit=EVENTS_READ)
    return [row for row in rows if job in row.decisions][:EVENTS]


def _keys(job: Job) -> list[str]:
    """Its schedules, and the one without a name that it may have had."""
    return list(dict.fromkeys([job.name, *(plan.key for plan in plans_of(job))]))
