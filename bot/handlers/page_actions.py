"""What somebody does on a page: what the command of the same person would do, by the same handlers."""

import re
from collections.abc import Callable
from dataclasses import replace

from bot.access.callers import Caller
from bot.commands import parser
from bot.handlers import page_rights
from bot.handlers.actions import Actions
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Order
from bot.handlers.rerun import RerunRequest
from bot.handlers.selection import RunReference
from bot.handlers.start import StartRequest
from bot.handlers.verbs import CommandHandlers
from bot.store import Store
from bot.tables import Run

_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)
"""What a form's key looks like that a page has made."""


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
        effect = await self._commands.of(context, command, 0)
        return await self._store.write(effect)

    async def start(self, context: RequestContext, job: str, request: StartRequest) -> Run:
        """The run, which the same `context.key` gives again where it was started before."""
        return await self._enqueue(await self._actions.starts.order(context, job, request, 0))

    async def repeat(self, context: RequestContext, number: int, request: RerunRequest) -> Run:
        """The run that repeats another one."""
        old = await self._actions.selection.find(context, RunReference(number))
        return await self._enqueue(await self._actions.reruns.order(context, old, request, 0))

    async def _enqueue(self, order: Order) -> Run:
        return await self._store.write(lambda session: self._actions.enqueuer.enqueue(session, order))
