"""What each verb does: asks whatever needs the network first, then gives an effect for one transaction.

Effects run on the writer's thread together with those of the other commands of the same delivery, so all
of them happen or none. An effect returns the words to reply, or None where a card says it all.
"""

from collections.abc import Callable, Mapping

from bot import commands, grammar, messages
from bot.catalog import Job
from bot.errors import AskerError
from bot.people import Asked, People
from bot.runs import State
from bot.starting import Starting
from bot.store import Session, runs
from bot.tables import Run
from bot.tools import Tools

Effect = Callable[[Session], str | None]
"""Given the transaction; gives the reply's text (Markdown) or None."""

RECENT_RUNS = 5
"""How many runs `status` shows when none is named."""
LOG_LINES = 20
"""How many lines `logs` replies."""


class Effects:
    """The verbs that have an effect, one method each."""

    def __init__(self, tools: Tools, people: People, starting: Starting) -> None:
        self._tools = tools
        self._people = people
        self._starting = starting

    async def of(self, asked: Asked, command: commands.Command, index: int) -> Effect:
        """The effect of one command; raises `AskerError` where there can be none, `RetryLater` for now.

        `index` is the command's place in its comment, which makes it unique there.
        """
        match command:
            case commands.Run():
                return await self._run(asked, command, index)
            case commands.Rerun():
                return await self._rerun(asked, command, index)
            case commands.Cancel():
                return await self._cancel(asked, command)
            case commands.Status():
                return await self._status(asked, command)
            case commands.Logs():
                return await self._logs(asked, command)
            case commands.List():
                return self._list(asked)
            case commands.Build():
                return await self._build(asked, command)
            case commands.Help():
                text = self._help(command)
                return lambda session: text
            case _:
                raise AskerError(messages.not_available(command))

    # Starting -------------------------------------------------------------------------------------

    async def _run(self, asked: Asked, command: commands.Run, index: int) -> Effect:
        if command.image_tag is not None:
            raise AskerError("`--image` is not available in this version; `--ref` chooses a commit.")
        job = self._tools.config.catalog.job(command.name)
        parameters = job.resolve(command.parameters)
        job.argv(command.arguments)
        target = await self._starting.target(asked, job.image, command.ref)
        draft = self._starting.draft(asked, job, target, index)
        draft.parameters, draft.arguments = parameters, list(command.arguments)
        return lambda session: self._started(
            asked, self._starting.enqueue(session, asked, draft, job, target)
        )

    async def _rerun(self, asked: Asked, command: commands.Rerun, index: int) -> Effect:
        old = await self._find(asked, command.number, command.name)
        if command.latest:
            job = self._tools.config.catalog.job(old.job)
            target = await self._starting.target(asked, job.image, None)
        else:
            job = Job.model_validate(old.definition)
            target = await self._starting.same_target(old)
        draft = self._starting.draft(asked, job, target, index)
        draft.parameters = job.resolve({**old.parameters, **command.parameters})
        draft.arguments, draft.rerun_of = list(old.arguments), old.number
        return lambda session: self._started(
            asked, self._starting.enqueue(session, asked, draft, job, target)
        )

    @staticmethod
    def _started(asked: Asked, enqueued: tuple[Run, bool]) -> str | None:
        """In a pull request the card says it; in Slack the card may be in a channel that Errand is not in."""
        run, _ = enqueued
        return messages.started(run) if asked.channel else None

    async def _build(self, asked: Asked, command: commands.Build) -> Effect:
        target = await self._starting.target(asked, command.image, command.ref)
        name = messages.code(command.image)

        def effect(session: Session) -> str | None:
            build = self._starting.need_build(session, asked, target)
            if build.state == State.FINISHED:
                return f"{name} is already built from that commit: build #{build.number}."
            return messages.building(build) if asked.channel else None

        return effect

    # Stopping -------------------------------------------------------------------------------------

    async def _cancel(self, asked: Asked, command: commands.Cancel) -> Effect:
        found = await self._find(asked, command.number, command.name, active=command.number is None)
        number, now = found.identity, self._tools.clock()

        def effect(session: Session) -> str | None:
            before = runs.get(session, number)
            over = before is not None and before.state == State.FINISHED
            run = runs.request_stop(session, number, by=asked.actor, now=now)
            if over:
                return messages.status_reply([run], now=now)
            return messages.stopping(run) if asked.channel else None

        return effect

    # Looking --------------------------------------------------------------------------------------

    async def _status(self, asked: Asked, command: commands.Status) -> Effect:
        if command.number is None and command.name is None:
            repository, actor = self._mine(asked)
            found = await self._tools.store.read(
                lambda s: runs.page(s, repository=repository, actor=actor, limit=RECENT_RUNS)
            )
        else:
            found = [await self._find(asked, command.number, command.name)]
        links = {run.identity: self._tools.link(run, open_place=asked.public) for run in found}
        text = messages.status_reply(found, now=self._tools.clock(), links=links)
        return lambda session: text

    async def _logs(self, asked: Asked, command: commands.Logs) -> Effect:
        run = await self._find(asked, command.number, None)
        lines = await self._tools.logs.tail(run.name, LOG_LINES)
        text = messages.logs_reply(run, lines, self._tools.link(run, open_place=asked.public))
        return lambda session: text

    def _list(self, asked: Asked) -> Effect:
        catalog = self._tools.config.catalog
        shown: Mapping[str, Job] = catalog.jobs
        if asked.public and asked.repository is not None:
            here = {image.name for image in catalog.images_of(asked.repository)}
            shown = {name: job for name, job in shown.items() if job.image in here}
        text = messages.listing(shown, command=self._tools.config.command)
        return lambda session: text

    def _help(self, command: commands.Help) -> str:
        word = self._tools.config.command
        if command.topic is None or command.topic in grammar.VERBS:
            return commands.help_text(word, command.topic)
        return self._tools.config.catalog.job(command.topic).help_text(word)

    async def _find(self, asked: Asked, number: int | None, name: str | None, *, active: bool = False) -> Run:
        """The run that is meant, by number, else the newest of that job (`active`: not finished)."""
        store = self._tools.store
        if number is not None:
            run = await store.read(lambda s: runs.get(s, number))
        elif name is not None:
            self._tools.config.catalog.job(name)
            run = await store.read(lambda s: runs.latest(s, job=name, active=active))
        else:
            repository, actor = self._mine(asked)
            run = await store.read(
                lambda s: runs.latest(s, repository=repository, actor=actor, active=active)
            )
        if run is None or run.repository is None:
            what = f"run #{number}" if number is not None else f"run of `{name}`" if name else "run here"
            raise AskerError(f"There is no {'unfinished ' if active else ''}{what}.")
        await self._people.require(asked, run.repository)
        return run

    @staticmethod
    def _mine(asked: Asked) -> tuple[str | None, str | None]:
        """The repository or the person whose runs are meant when nothing is named: in Slack the asker."""
        return (asked.repository, None) if asked.repository else (None, asked.actor)
