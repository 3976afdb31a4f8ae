"""`status` and `logs`: how runs stand, and the last lines of one; as much as the place may show."""

from collections.abc import Callable, Sequence

from bot import messages
from bot.commands import parser
from bot.errors import AskerError
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.places import SlackPlace
from bot.handlers.selection import RunReference, RunSelection, newest_of
from bot.posting.addresses import PageAddresses
from bot.posting.audience import outward
from bot.states import attempt_name
from bot.store import Session, runs, series
from bot.tables import Run
from executor.logs.store import LogStore

Effect = Callable[[Session], str | None]

RECENT_RUNS = 10
"""How many runs a page of `status` shows."""
LAST_RUNS = 25
"""Of how many of a job it is told in Slack how long they took, of which some may never have begun."""
PAGES = 100
"""How many pages of runs there are in a chat; what is older is on the pages of the service and in the API."""
LOG_LINES = 20
"""How many lines `logs` replies."""


class StatusHandler:
    """Tells how runs stand."""

    def __init__(
        self, authorization: Authorization, selection: RunSelection, addresses: PageAddresses
    ) -> None:
        self._authorization = authorization
        self._selection = selection
        self._addresses = addresses

    async def status(self, context: RequestContext, command: parser.Status) -> Effect:
        """The run that is meant, or a page of the runs here."""
        reference = RunReference(command.number, command.name)
        if command.page is not None or reference == RunReference():
            return await self._history(context, command.name, command.page or 1)
        await self._selection.prepare(context, reference)

        def effect(session: Session) -> str | None:
            run = self._selection.look(session, context, reference)
            shown, links = self._shown(context, [run])
            if isinstance(context.place, SlackPlace) and command.name is not None:
                last = series.ended_of(session, run.job, run.repository, limit=LAST_RUNS)
                return messages.durations(run, last, links[run.identity])
            return messages.status_reply(shown, links=links)

        return effect

    async def _history(self, context: RequestContext, name: str | None, page: int) -> Effect:
        """A page of the runs here, or of those of job `name` that the asker may have."""
        if page > PAGES:
            raise AskerError(f"There are {PAGES} pages here; older runs are on the pages of Errand.")
        repository, actor, ownerless = context.repository, newest_of(context), False
        if name is not None:
            repository, ownerless = await self._authorization.require_job(context, name)
            actor = None

        def look(session: Session) -> list[Run]:
            return runs.page(
                session,
                job=name,
                repository=repository,
                ownerless=ownerless,
                actor=actor,
                limit=RECENT_RUNS + 1,
                offset=(page - 1) * RECENT_RUNS,
            )

        # Also what somebody started themselves they may have lost the right to since.
        await self._selection.prepare_all(context, look)

        def effect(session: Session) -> str | None:
            rows = look(session)
            listed = [run for run in rows[:RECENT_RUNS] if self._selection.may_have(context, run)]
            shown, links = self._shown(context, listed)
            words = [self._authorization.first_word(context), "status", *([name] if name else [])]
            more = len(rows) > RECENT_RUNS and page < PAGES
            following = " ".join([*words, f"--page {page + 1}"]) if more else None
            return messages.history(shown, links=links, page=page, following=following)

        return effect

    def _shown(self, context: RequestContext, rows: Sequence[Run]) -> tuple[list[Run], dict[int, str]]:
        """The runs as the place may show them, and where their pages are, by number."""
        shown = [outward(run) if context.public else run for run in rows]
        return shown, {run.identity: self._addresses.of(run, open_place=context.public) for run in shown}


class LogHandler:
    """Tells what a run printed last."""

    def __init__(self, selection: RunSelection, logs: LogStore, addresses: PageAddresses) -> None:
        self._selection = selection
        self._logs = logs
        self._addresses = addresses

    async def tail(self, context: RequestContext, number: int) -> str:
        """The last lines of a run's log with its page; where the place may not show them, the page alone."""
        run = await self._selection.find(context, RunReference(number))
        link = self._addresses.of(run, open_place=context.public)
        if context.public and not run.public:
            return messages.logs_elsewhere(outward(run), link)
        lines = await self._logs.tail(attempt_name(run.name, run.attempt), LOG_LINES)
        return messages.logs_reply(run, lines, link)
