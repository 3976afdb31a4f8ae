"""Of which repositories somebody may run things: what is listed for them, before they name any of it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bot.errors import AskerError, Refused, RetryLater
from bot.handlers.authorization import Authorization, RequestContext

MOST = 100
"""Repositories that are asked about for one list; each is a question to GitHub."""
CONCURRENT = 8


@dataclass(frozen=True, slots=True)
class Permitted:
    """`repositories` are those of which the asker may run things; of `unknown` others it is not known now."""

    repositories: frozenset[str]
    unknown: int = 0


class PermittedRepositories:
    """Asks for each what a command would ask."""

    def __init__(self, authorization: Authorization) -> None:
        self._authorization = authorization

    async def of(self, context: RequestContext, repositories: Iterable[str]) -> Permitted:
        """Which of these; where GitHub says nothing of any, `RetryLater`."""
        every = list(dict.fromkeys(repositories))
        turns = asyncio.Semaphore(CONCURRENT)

        async def may(repository: str) -> bool | RetryLater:
            async with turns:
                try:
                    await self._authorization.require(context, repository)
                except (AskerError, Refused):  # also where GitHub shows us no such repository
                    return False
                except RetryLater as later:
                    return later
                return True

        answers = await asyncio.gather(*(may(each) for each in every[:MOST]))
        away = [answer for answer in answers if isinstance(answer, RetryLater)]
        if away and len(away) == len(answers):
            raise away[0]
        allowed = {each for each, answer in zip(every, answers, strict=False) if answer is True}
        return Permitted(frozenset(allowed), len(away) + max(len(every) - MOST, 0))
