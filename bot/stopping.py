"""`cancel`: which run is meant where its number is not given, and that it is stopped.

A name may stand for several runs under way. What was started by the same comment is meant first, then what is
told of where the command was given, then everything; where that leaves more than one, they are listed and
none is stopped.
"""

from collections.abc import Callable, Sequence

from bot import commands, messages
from bot.audience import outward
from bot.errors import AskerError
from bot.people import Asked, People
from bot.runs import State
from bot.store import Session, posts, runs
from bot.tables import Run
from bot.tools import Tools
from bot.wording import quoted

CANDIDATES = 50
"""Runs under way that are looked at, the newest ones."""

Owner = Callable[[Asked, Run], str]
"""The repository of which the asker must be able to run things to have a run; `AskerError` if none."""


class Stopping:
    """Stops one run."""

    def __init__(self, tools: Tools, people: People, owner: Owner) -> None:
        self._tools = tools
        self._people = people
        self._owner = owner

    async def cancel(self, asked: Asked, command: commands.Cancel) -> Callable[[Session], str | None]:
        """What stops the run that is meant, or lists those that may be; raises `AskerError` if it may not."""
        if command.name is not None:
            self._people.catalog(asked).job(command.name)
        for owner in await self._tools.store.read(lambda s: self._owners(s, asked, command)):
            try:
                await self._people.require(asked, owner)
            except AskerError:
                continue  # the transaction, which may find other runs, says so

        def effect(session: Session) -> str | None:
            run, now = self._meant(session, asked, command), self._tools.clock()
            if run.state == State.FINISHED:
                return messages.status_reply([outward(run) if asked.public else run], now=now)
            return messages.stopping(runs.request_stop(session, run.identity, by=asked.actor, now=now))

        return effect

    def _owners(self, session: Session, asked: Asked, command: commands.Cancel) -> list[str]:
        owners: dict[str, None] = {}
        for run in self._candidates(session, asked, command):
            try:
                owners[self._owner(asked, run)] = None
            except AskerError:
                continue
        return list(owners)

    def _candidates(self, session: Session, asked: Asked, command: commands.Cancel) -> Sequence[Run]:
        if command.number is not None:
            run = runs.get(session, command.number)
            return [] if run is None else [run]
        if command.name is not None:
            return runs.unfinished(session, job=command.name, limit=CANDIDATES)
        if asked.repository is not None:
            return runs.unfinished(session, repository=asked.repository, limit=CANDIDATES)
        return runs.unfinished(session, actor=asked.actor, limit=CANDIDATES)

    def _meant(self, session: Session, asked: Asked, command: commands.Cancel) -> Run:
        """The run, within the transaction: an earlier command of the same comment may have made it."""
        mine: list[Run] = []
        refusal: AskerError | None = None
        for run in self._candidates(session, asked, command):
            try:
                self._people.check(asked, self._owner(asked, run))
                mine.append(run)
            except AskerError as error:
                refusal = refusal or error
        if not mine:
            raise refusal or _missing(command)
        near = _nearest(session, asked, mine)
        if len(near) == 1:
            return near[0]
        shown = [outward(run) for run in near] if asked.public else near
        raise AskerError(
            "Several runs are under way that may be meant, so none was stopped. Name one, as in"
            f" {quoted(f'{self._tools.config.command} cancel #{near[0].number}')}:\n\n"
            + messages.status_reply(shown, now=self._tools.clock())
        )


def _nearest(session: Session, asked: Asked, found: Sequence[Run]) -> Sequence[Run]:
    """Those that the same comment started, else those of the same place, else all."""
    if len(found) == 1:
        return found
    same = [run for run in found if run.key.startswith(f"{asked.key}:")]
    if same:
        return same
    if asked.repository is not None:
        places = [f"github_comment:{asked.repository}#{asked.number}"]
    else:
        places = [f"slack_message:{name}" for name in (asked.channel, asked.channel_name) if name]
    here = posts.told_at(session, [run.identity for run in found], places)
    return [run for run in found if run.identity in here] or found


def _missing(command: commands.Cancel) -> AskerError:
    if command.number is not None:
        return AskerError(f"There is no run #{command.number}.")
    of = f"run of {quoted(command.name)}" if command.name is not None else "run here"
    return AskerError(f"There is no unfinished {of}.")
