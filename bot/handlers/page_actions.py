"""What somebody does on a page: what the command of the same person would do, by the same handlers."""

import re
from collections.abc import Callable
from dataclasses import replace

from bot.access.callers import Caller
from bot.catalog.catalog import Job
from bot.commands import parser
from bot.errors import NotAllowed
from bot.handlers import everything, page_rights
from bot.handlers.actions import Actions
from bot.handlers.authorization import RequestContext
from bot.handlers.conditions import Conditions, conditions
from bot.handlers.orders import Order
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.handlers.verbs import CommandHandlers
from bot.store import Session, Store
from bot.tables import Run
from bot.text.wording import quoted

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
"""What a form's key looks like that a page has made."""


_OF_A_JOB = parser.Run | parser.Plan | parser.Pause | parser.Resume | parser.Skip | parser.Backfill


class PageActions:
    """Each is carried out when it returns, and raises `AskerError` with what there is to say instead."""

    def __init__(
        self, commands: CommandHandlers, actions: Actions, store: Store, nonce: Callable[[], str]
    ) -> None:
        self._commands = commands
        self._actions = actions
        self._store = store
        self._nonce = nonce

    def context(self, login: str | None, caller: Caller, key: str) -> RequestContext:
        """The request of a person, or of who logged in with a token; the `key` of a form makes it one.

        A form that is sent twice does so once: its key was made with its page, for whoever was shown that.
        """
        if login is None:
            made = self._actions.authorization.of_caller(caller)
            return replace(made, key=f"page:{caller.name}:{key}") if _KEY.fullmatch(key) else made
        unique = key if _KEY.fullmatch(key) else self._nonce()
        return page_rights.context(login, f"{login.casefold()}:{unique}")

    async def perform(self, context: RequestContext, command: parser.Command) -> str | None:
        """Do it; gives the words that answer the command elsewhere (Markdown), if any."""
        if isinstance(command, _OF_A_JOB):
            _admit(context, command.name)
        effect = await self._commands.of(context, command, 0)
        return await self._store.write(effect)

    async def may_stop_everything(self, login: str | None, caller: Caller) -> bool:
        """Whether pages offer them to lock, freeze, unlock and thaw everything; no where that is unknown."""
        return await everything.may(self._actions.authorization, self.context(login, caller, ""))

    async def plan(self, context: RequestContext, command: parser.Plan) -> str:
        """What starting a job would do, as the command says it (Markdown)."""
        _admit(context, command.name)
        return await self._store.read(await self._actions.plans.plan(context, command)) or ""

    async def start(self, context: RequestContext, job: str, request: StartRequest) -> Run:
        """The run, which the same `context.key` gives again where it was started before."""
        _admit(context, job)
        return await self._enqueue(await self._actions.starts.order(context, job, request, 0))

    async def admit(self, context: RequestContext, job: str) -> None:
        """Raise `AskerError` unless they may start the job, before anything of it is told."""
        _admit(context, job)
        if context.caller is None:
            await self._actions.authorization.require_job(context, job)

    async def find(self, context: RequestContext, number: int) -> Run:
        """A run that they may have; `AskerError` where there is none."""
        return await self._actions.selection.find(context, RunReference(number))

    def conditions(self, session: Session, context: RequestContext, job: Job, now: float) -> Conditions:
        """What a run of the job that is started now would find in its way."""
        repository = self._actions.authorization.catalog(context).repository_of(job)
        return conditions(session, self._actions.enqueuer, context, job, repository, now)

    async def repeat(self, context: RequestContext, number: int, request: RerunRequest) -> Run:
        """The run that repeats another one."""
        old = await self._actions.selection.find(context, RunReference(number))
        return await self._enqueue(await self._actions.reruns.order(context, old, request, 0))

    async def _enqueue(self, order: Order) -> Run:
        return await self._store.write(lambda session: self._actions.enqueuer.enqueue(session, order))


def _admit(context: RequestContext, job: str) -> None:
    """Of who logged in with a token the scopes decide, as in the API; of a person GitHub is asked."""
    if context.caller is not None and not context.caller.may_run(job):
        raise NotAllowed(f"{quoted(context.caller.name)} may not start {quoted(job)}.", "scopes")
