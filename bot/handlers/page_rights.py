"""What somebody who is logged in as a person may see and do on pages: what they may in a comment."""

import asyncio
from collections.abc import Callable, Iterable

from bot.access import scopes
from bot.access.principals import Kind, Principal
from bot.errors import RetryLater
from bot.handlers.authorization import RequestContext
from bot.handlers.places import PagePlace
from bot.handlers.visibility import Visibility
from bot.registry import Registry
from bot.repositories import CodeHost
from bot.states import ActorKind, Cause

KEPT_SECONDS = 60.0
"""For how long it holds what somebody may see; what they do is asked anew each time."""
_PEOPLE = 1000
QUESTIONS = 1000
"""Repositories and teams that are asked about for one person; jobs of others are not shown to them."""


class PageRights:
    """Gives the scopes that a token would need for the same, see `bot.access.scopes`.

    Asks GitHub, one question for all who want to know the same at the same time.
    """

    def __init__(
        self,
        registry: Registry,
        host: CodeHost,
        visibility: Visibility,
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._host = host
        self._visibility = visibility
        self._clock = clock
        self._kept: dict[str, tuple[float, frozenset[str]]] = {}
        self._questions: dict[str, asyncio.Task[frozenset[str]]] = {}

    async def of(self, login: str) -> frozenset[str]:
        """What `login` may see; nothing for a stranger. Raises `RetryLater` where GitHub does not say now."""
        name = login.casefold()
        until, rights = self._kept.get(name, (0.0, frozenset[str]()))
        if self._clock() < until:
            return rights
        question = self._questions.get(name)
        if question is None:
            question = asyncio.create_task(self._ask(login))
            self._questions[name] = question
            question.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(question)

    def _answered(self, name: str, question: asyncio.Task[frozenset[str]]) -> None:
        del self._questions[name]
        if question.cancelled() or question.exception() is not None:
            return
        while len(self._kept) >= _PEOPLE:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = self._clock() + KEPT_SECONDS, question.result()

    async def _ask(self, login: str) -> frozenset[str]:
        pages = self._registry.config.pages
        sight = await self._visibility.exactly(context(login, ""), QUESTIONS)
        found = {f"{scopes.RUN}{job}" for job in sight.jobs}
        found |= {f"{scopes.APPROVE}{job}" for job in await self._approved(login, is_alone=not found)}
        if await self._is_among(login, pages.admins):
            found.add(scopes.ADMIN)
        elif await self._is_among(login, pages.access):
            found.add(scopes.READ)
        if await self._is_among(login, self._registry.config.audit.readers):
            found.add(scopes.AUDIT)
        return frozenset(found)

    async def _approved(self, login: str, *, is_alone: bool) -> frozenset[str]:
        """The jobs that name `login` as who says yes on pages or in a terminal.

        Where GitHub does not say now, that keeps nobody out who may run something.
        """
        try:
            return await self._visibility.approved(context(login, ""), QUESTIONS)
        except RetryLater:
            if is_alone:
                raise
            return frozenset()

    async def is_admin(self, login: str) -> bool:
        """Whether `login` may do what a token with `admin` may, as it is now; may raise `RetryLater`."""
        return await self._is_among(login, self._registry.config.pages.admins)

    async def _is_among(self, login: str, named: Iterable[Principal]) -> bool:
        some = tuple(named)
        if any(each.is_login(login) for each in some):
            return True
        github = self._host.github
        if github is None:
            return False
        for each in some:
            if each.kind is Kind.ORG and await github.organizations.has(login, each.name, each.team):
                return True
        return False


def context(login: str, key: str) -> RequestContext:
    """A request of `login` on a page; `key` is unique to it."""
    return RequestContext(f"page:{key}", Cause.PAGE, ActorKind.GITHUB.named(login), login, PagePlace())
