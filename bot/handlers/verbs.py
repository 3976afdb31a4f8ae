"""What each verb does: asks whatever needs the network first, then gives an effect for one transaction.

Effects run on the writer's thread together with those of the other commands of the same delivery, so all
of them happen or none. An effect returns the words to reply, or None where a card says it all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot import messages
from bot.access.scopes import EXEC
from bot.catalog.catalog import Job
from bot.commands import grammar, parser
from bot.context import Context
from bot.errors import AskerError
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.builds import BuildHandler
from bot.handlers.cancellation import Cancellation
from bot.handlers.enqueuing import Enqueuer
from bot.handlers.locks import LockHandler
from bot.handlers.orders import Order
from bot.handlers.pauses import PauseHandler
from bot.handlers.plans import Planner
from bot.posting.audience import outward
from bot.states import State, attempt_name
from bot.store import Session, runs
from bot.tables import Run
from bot.text.wording import quoted

Effect = Callable[[Session], str | None]
"""Given the transaction; gives the reply's text (Markdown) or None."""

RECENT_RUNS = 10
"""How many runs a page of `status` shows."""
PAGES = 100
"""How many pages of runs there are in a chat; what is older is on the pages of the service and in the API."""
LOG_LINES = 20
"""How many lines `logs` replies."""


@dataclass(frozen=True, slots=True)
class Which:
    """The run that is meant: by number, else the newest of the job `name`, else the newest of the asker."""

    number: int | None
    name: str | None

    @property
    def missing(self) -> AskerError:
        """What to say where there is none."""
        if self.number is not None:
            return AskerError(f"There is no run #{self.number}.")
        of = f"run of {quoted(self.name)}" if self.name is not None else "run here"
        return AskerError(f"There is no {of}.")


class CommandHandlers:
    """The verbs that have an effect, one method each."""

    def __init__(self, tools: Context, people: Authorization, starting: Enqueuer) -> None:
        self._tools = tools
        self._authorization = people
        self._starting = starting
        self._building = BuildHandler(tools, people, starting)
        self._locking = LockHandler(tools, people)
        self._planning = Planner(tools, people, starting)
        self._pausing = PauseHandler(tools, people)
        self._stopping = Cancellation(tools, people, _owner)

    async def of(self, asked: RequestContext, command: parser.Command, index: int) -> Effect:
        """The effect of one command; raises `AskerError` where there can be none, `RetryLater` for now.

        `index` is the command's place in its comment, which makes it unique there.
        """
        match command:
            case parser.Run():
                return await self._run(asked, command, index)
            case parser.Rerun():
                return await self._rerun(asked, command, index)
            case parser.Cancel():
                return await self._cancel(asked, command)
            case parser.Status():
                return await self._status(asked, command)
            case parser.Logs():
                return await self._logs(asked, command)
            case parser.Lock():
                return await self._locking.lock(asked, command)
            case parser.Unlock():
                return await self._locking.unlock(asked, command)
            case parser.Pause():
                return await self._pausing.pause(asked, command)
            case parser.Resume():
                return await self._pausing.resume(asked, command)
            case parser.Skip():
                return await self._pausing.skip(asked, command)
            case parser.Plan():
                return await self._planning.plan(asked, command)
            case parser.Why():
                return await self._planning.why(asked, command)
            case parser.List():
                return self._list(asked, command.page)
            case parser.Build():
                return await self._build(asked, command)
            case parser.Help():
                text = self._help(asked, command)
                return lambda session: text
            case _:
                raise AskerError(messages.not_available(command))

    # Starting -------------------------------------------------------------------------------------

    async def _run(self, asked: RequestContext, command: parser.Run, index: int) -> Effect:
        job = self._authorization.catalog(asked).job(command.name)
        parameters = job.resolve(command.parameters)
        job.argv(command.arguments)
        target = await self._starting.target(asked, job.image, command.ref, command.image_tag)
        return self._start(Order(asked, index, job, target, parameters, command.arguments))

    async def _rerun(self, asked: RequestContext, command: parser.Rerun, index: int) -> Effect:
        old, repository = await self._find(asked, Which(command.number, command.name))
        today = self._authorization.catalog(asked).jobs.get(old.job)
        if today is None:  # whoever took it away did not want it to run any more
            raise AskerError(f"{quoted(old.job)} was taken away, so #{old.number} is not run again.")
        job, version = today, None if command.latest else old.version
        if not command.latest:
            today.check_changes(command.parameters, latest="`--latest`")
        if command.latest:
            target = await self._starting.target(asked, job.image, None)
        else:
            try:
                job = Job.frozen(old.definition)
                target = await self._starting.same_target(asked, old, repository)
            except ValueError:
                raise AskerError(
                    f"#{old.number} was defined for another version of Errand; `--latest` takes today's job."
                ) from None
        parameters, arguments = job.resolve({**old.parameters, **command.parameters}), tuple(old.arguments)
        job.argv(arguments)
        order = Order(asked, index, job, target, parameters, arguments, old.number, version, rules=today)
        return self._start(order)

    def _start(self, order: Order) -> Effect:
        """In a pull request the card says it; in Slack the card may be in a channel that Errand is not in."""

        def effect(session: Session) -> str | None:
            run = self._starting.enqueue(session, order)
            return _joined(messages.started(run) if order.asked.channel else None, order.target.note)

        return effect

    async def _build(self, asked: RequestContext, command: parser.Build) -> Effect:
        building = await self._building.build(asked, command)

        def effect(session: Session) -> str | None:
            order = building(session)
            if asked.channel is not None or order.build.state == State.FINISHED:
                return order.answer
            return order.note  # the card says the rest

        return effect

    async def _cancel(self, asked: RequestContext, command: parser.Cancel) -> Effect:
        stopping = await self._stopping.cancel(asked, command)

        def effect(session: Session) -> str | None:
            stop = stopping(session)
            if not stop.late:
                return messages.stopping(stop.run)
            shown = outward(stop.run) if asked.public else stop.run
            return messages.status_reply([shown])

        return effect

    # Looking --------------------------------------------------------------------------------------

    async def _status(self, asked: RequestContext, command: parser.Status) -> Effect:
        which = Which(command.number, command.name)
        if command.page is not None or (which.number is None and which.name is None):
            return await self._history(asked, command.name, command.page or 1)
        await self._prepare(asked, which)

        def effect(session: Session) -> str | None:
            found, links = self._shown(asked, [self._look(session, asked, which)])
            return messages.status_reply(found, links=links)

        return effect

    async def _history(self, asked: RequestContext, name: str | None, page: int) -> Effect:
        """A page of the runs here, or of those of job `name` that the asker may have."""
        if page > PAGES:
            raise AskerError(f"There are {PAGES} pages here; older runs are on the pages of Errand.")
        (repository, actor), ownerless = self._mine(asked), False
        if name is not None:
            repository, ownerless = await self._authorization.require_job(asked, name)
            actor = None

        def effect(session: Session) -> str | None:
            found = runs.page(
                session,
                job=name,
                repository=repository,
                ownerless=ownerless,
                actor=actor,
                limit=RECENT_RUNS + 1,
                offset=(page - 1) * RECENT_RUNS,
            )
            shown, links = self._shown(asked, found[:RECENT_RUNS])
            words = [self._tools.config.command, "status", *([name] if name else []), f"--page {page + 1}"]
            following = " ".join(words) if len(found) > RECENT_RUNS and page < PAGES else None
            return messages.history(shown, links=links, page=page, following=following)

        return effect

    def _shown(self, asked: RequestContext, found: Sequence[Run]) -> tuple[list[Run], dict[int, str]]:
        """The runs as the place may show them, and where their pages are, by number."""
        shown = [outward(run) if asked.public else run for run in found]
        return shown, {run.identity: self._tools.link(run, open_place=asked.public) for run in shown}

    async def _logs(self, asked: RequestContext, command: parser.Logs) -> Effect:
        run, _ = await self._find(asked, Which(command.number, None))
        link = self._tools.link(run, open_place=asked.public)
        if asked.public and not run.public:
            text = messages.logs_elsewhere(outward(run), link)
        else:
            lines = await self._tools.logs.tail(attempt_name(run.name, run.attempt), LOG_LINES)
            text = messages.logs_reply(run, lines, link)
        return lambda session: text

    def _list(self, asked: RequestContext, page: int) -> Effect:
        jobs, word = self._authorization.catalog(asked).jobs, self._tools.config.command
        text = messages.listing(jobs, command=word, page=page)
        return lambda session: text

    def _help(self, asked: RequestContext, command: parser.Help) -> str:
        word = self._tools.config.command
        if command.topic is None or command.topic in grammar.VERBS:
            return parser.help_text(word, command.topic)
        return messages.job_help(self._authorization.catalog(asked).job(command.topic), word, command.page)

    # The run that is meant ------------------------------------------------------------------------

    async def _find(self, asked: RequestContext, which: Which) -> tuple[Run, str]:
        """The run and its repository, of which the asker may run things."""
        run = await self._prepare(asked, which)
        if run is None:
            raise which.missing
        return run, _owner(asked, run)

    async def _prepare(self, asked: RequestContext, which: Which) -> Run | None:
        """Ask whether the asker may have the run that is meant as things stand, so that `_look` need not."""
        if which.name is not None:
            self._authorization.catalog(asked).job(which.name)
        run = await self._tools.store.read(lambda s: self._meant(s, asked, which))
        if run is not None:
            await self._authorization.require(asked, _owner(asked, run))
        return run

    def _look(self, session: Session, asked: RequestContext, which: Which) -> Run:
        """The run within the transaction: an earlier command of the same comment may have made it."""
        run = self._meant(session, asked, which)
        if run is None:
            raise which.missing
        self._authorization.check(asked, _owner(asked, run))
        return run

    def _meant(self, session: Session, asked: RequestContext, which: Which) -> Run | None:
        if which.number is not None:
            return runs.get(session, which.number)
        if which.name is not None:
            return runs.latest(session, job=which.name)
        repository, actor = self._mine(asked)
        return runs.latest(session, repository=repository, actor=actor)

    @staticmethod
    def _mine(asked: RequestContext) -> tuple[str | None, str | None]:
        """The repository or the person whose runs are meant when nothing is named: in Slack the asker."""
        return (asked.repository, None) if asked.repository else (None, asked.actor)


def _owner(asked: RequestContext, run: Run) -> str:
    """The repository of which the asker must be able to run things to have `run`.

    What a schedule started without an image is of none, so the one that is asked from counts.
    """
    if run.job == EXEC and run.repository is None:  # those who write elsewhere have no say in it
        raise AskerError(f"There is no run #{run.number}.")
    repository = run.repository or asked.repository
    if repository is None:
        raise AskerError(
            f"#{run.number} is of no repository that says who may do that; ask in a pull request."
        )
    return repository


def _joined(*texts: str | None) -> str | None:
    """The paragraphs that there are, as one answer."""
    return "\n\n".join(text for text in texts if text) or None
