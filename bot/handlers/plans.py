"""`plan` and `why`: what would run, and what kept a job from running. Nothing is started or changed.

Both answer only who may run the job; in a public place only of what that place may speak of.
"""

from collections.abc import Callable

from bot import messages
from bot.catalog.catalog import Catalog, Job, ownerless
from bot.catalog.due import Outlook, Plan, outlook
from bot.commands import parser
from bot.context import Context
from bot.errors import AskerError
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.orders import Target
from bot.posting.audience import outward
from bot.store import Session, admission, builds, image_tags, push_verdicts, runs, ticks
from bot.tables import Run

TICKS = 5
"""Ticks that are told, of those to come and of those that were."""
PUSHES = 5
"""Pushes that are told."""
REFUSALS = 5
"""Refused commands that are told."""

Effect = Callable[[Session], str | None]


class Planner:
    """The two verbs; each gives an effect for one transaction."""

    def __init__(self, tools: Context, people: Authorization, starting: Enqueuer) -> None:
        self._tools = tools
        self._authorization = people
        self._starting = starting

    async def plan(self, asked: RequestContext, command: parser.Plan) -> Effect:
        """What `run` with the same words would do; raises the `AskerError` that it would raise."""
        job = self._authorization.catalog(asked).job(command.name)
        parameters = job.resolve(command.parameters)
        job.argv(command.arguments)
        meant = await self._starting.target(asked, job.image, command.ref, command.image_tag)

        def effect(session: Session) -> str:
            now, target = self._tools.clock(), meant.chosen(image_tags.of(session, job.name))
            run = self._draft(asked, job, target, now)
            run.parameters, run.arguments = parameters, list(command.arguments)
            build = None
            if target.source is not None:
                image = target.source.image
                build = builds.usable(session, image.name, target.source.commit, image.recipe)
            refused, waiting = self._gate(session, run, now)
            last = runs.latest(session, job=job.name, repository=target.repository)
            hidden = asked.public and last is not None and not last.public
            prospect = messages.Prospect(
                run=run,
                build=build,
                variables=sorted(job.env),
                refused=refused,
                waiting=waiting,
                timing=self._timing(session, job, now),
                last=last,
                hidden=hidden,
            )
            text = messages.plan(prospect, who=asked.login or asked.actor)
            return f"{text}\n\n{meant.note}" if meant.note else text

        return effect

    async def why(self, asked: RequestContext, command: parser.Why) -> Effect:
        """What kept the job from running, as far as it is known."""
        catalog = self._authorization.catalog(asked)
        job = catalog.job(command.name)
        repository, built = self._repository(asked, catalog, job), catalog.repository_of(job) is not None
        if repository is not None:
            await self._authorization.require(asked, repository)
        known_by = await self._known_by(repository) if built and repository is not None else ()

        def effect(session: Session) -> str:
            now = self._tools.clock()
            run = self._draft(asked, job, Target(repository, asked.public), now)
            refused, waiting = self._gate(session, run, now)
            last = runs.latest(session, job=job.name, repository=repository)
            found = messages.Reasons(
                job=job.name,
                pushes=push_verdicts.newest(session, repositories=known_by, image=job.image, limit=PUSHES)
                if known_by and job.image
                else None,
                on_push="push" in job.on,
                refusals=push_verdicts.refusals(session, job=job.name, repository=repository, limit=REFUSALS)
                if repository
                else (),
                ticks=ticks.newest(session, job.name, limit=TICKS),
                timing=self._timing(session, job, now),
                refused=refused,
                waiting=waiting,
                last=outward(last) if asked.public and last is not None else last,
            )
            return messages.why(found, who=asked.login or asked.actor)

        return effect

    async def _known_by(self, repository: str) -> list[str]:
        """As what a repository stands in the rows of its pushes: by its number, or by its name."""
        known = await self._tools.repositories.known(repository)
        number = [str(known.number)] if known is not None and known.number is not None else []
        return [*number, repository.casefold()]

    def _repository(self, asked: RequestContext, catalog: Catalog, job: Job) -> str | None:
        repository = catalog.repository_of(job) or asked.repository
        if repository is None and asked.caller is None:
            raise AskerError(f"{ownerless(job.image)} says who may ask about it; ask in a pull request.")
        return repository

    def _draft(self, asked: RequestContext, job: Job, target: Target, now: float) -> Run:
        """The run that would be stored."""
        source = target.source
        return Run(
            key="",
            name="",
            job=job.name,
            definition=job.model_dump(mode="json"),
            repository=target.repository,
            public=target.public,
            image=target.image.name if target.image else None,
            image_definition=target.definition,
            ref=source.ref if source else None,
            commit=source.commit if source else None,
            cause=asked.cause,
            actor=asked.actor,
            lock=job.lock,
            concurrency=job.concurrency,
            created_at=now,
        )

    @staticmethod
    def _gate(session: Session, run: Run, now: float) -> tuple[str | None, str | None]:
        """Why the run would be refused (Markdown), else what it would wait for besides its build."""
        why = admission.refusal(session, run.job, run.concurrency)
        refused = None if why is None else messages.reason(why)
        return refused, None if refused else admission.waits_for(session, run, now=now)

    @staticmethod
    def _timing(session: Session, job: Job, now: float) -> Outlook | None:
        if job.schedule is None:
            return None
        state = ticks.states(session, [job.name]).get(job.name)
        return outlook(Plan(job, job.schedule), state, now, TICKS)
