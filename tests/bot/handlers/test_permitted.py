"""What is listed for somebody is asked about with a bound, and what is not known is told."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import NotAllowed, RetryLater
from bot.handlers import permitted
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.permitted import Permitted, PermittedRepositories

CONTEXT = cast(RequestContext, None)


def asking(answer: Any) -> PermittedRepositories:
    async def require(context: RequestContext, repository: str) -> None:
        await asyncio.sleep(0)
        answer(repository)

    return PermittedRepositories(cast(Authorization, SimpleNamespace(require=require)))


async def test_each_is_asked_about_once_and_what_github_does_not_say_is_counted() -> None:
    asked = []

    def answer(repository: str) -> None:
        asked.append(repository)
        if repository == "acme/no":
            raise NotAllowed("no")
        if repository == "acme/away":
            raise RetryLater("GitHub is away")

    found = await asking(answer).of(CONTEXT, ["acme/yes", "acme/no", "acme/away", "acme/yes"])
    assert found == Permitted(frozenset({"acme/yes"}), 1)
    assert asked == ["acme/yes", "acme/no", "acme/away"]


async def test_more_than_are_asked_about_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permitted, "MOST", 2)
    found = await asking(lambda repository: None).of(CONTEXT, ["a/a", "a/b", "a/c", "a/d", "a/e"])
    assert found == Permitted(frozenset({"a/a", "a/b"}), 3)


async def test_github_that_says_nothing_at_all_is_asked_again_later() -> None:
    def away(repository: str) -> None:
        raise RetryLater("GitHub is away")

    with pytest.raises(RetryLater):
        await asking(away).of(CONTEXT, ["a/a", "a/b"])
    assert await asking(away).of(CONTEXT, []) == Permitted(frozenset())
