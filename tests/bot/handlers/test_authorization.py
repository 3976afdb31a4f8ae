"""Who may: asked of GitHub once for a request, and never assumed."""

from dataclasses import replace

import pytest

from bot.errors import AskerError, RetryLater
from bot.handlers.authorization import RequestContext
from bot.handlers.facts import REFUSAL_KEPT
from bot.handlers.places import GitHubPlace
from bot.states import Cause
from tests.bot.house import SHOP, SITE, House

ASKED = RequestContext(
    key="k", cause=Cause.COMMENT, actor="github:octocat", login="octocat", place=GitHubPlace(SHOP, 7)
)


def asked(**values: object) -> RequestContext:
    return replace(ASKED, facts={}, **values)  # type: ignore[arg-type]


async def test_github_is_asked_once_for_a_request_and_anew_for_the_next(home: House) -> None:
    people = home.bot.authorization
    for request in (asked(), asked()):
        await people.require(request, SHOP)
        await people.require(request, SHOP)
    assert home.github.count("/permission$") == 2


async def test_no_is_remembered_for_a_while_and_a_yes_never(home: House) -> None:
    people = home.bot.authorization
    for login in ("reader", "Reader"):
        with pytest.raises(AskerError):
            await people.require(asked(login=login), SHOP)
    assert home.github.count("/permission$") == 1
    home.github.add_person(SHOP, "reader", "write")
    home.now += REFUSAL_KEPT
    await people.require(asked(login="reader"), SHOP)
    home.github.add_person(SHOP, "reader", "read")
    with pytest.raises(AskerError):
        await people.require(asked(login="reader"), SHOP)


async def test_only_so_many_refusals_are_remembered(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.handlers.facts._REFUSALS", 1)
    people = home.bot.authorization
    for login in ("reader", "nobody", "reader"):
        with pytest.raises(AskerError):
            await people.require(asked(login=login), SHOP)
    assert home.github.count("/permission$") == 3


@pytest.mark.parametrize(
    ("values", "repository", "words"),
    [
        ({"login": "reader"}, SHOP, "write access"),
        ({"login": None}, SHOP, "slack.people"),
        ({}, "stranger/shop", "not run here"),
        ({"place": GitHubPlace(SITE, public=True)}, SHOP, "only jobs of that same repository"),
    ],
)
async def test_everybody_else_is_told_why_not(
    home: House, values: dict[str, object], repository: str, words: str
) -> None:
    with pytest.raises(AskerError, match=words):
        await home.bot.authorization.require(asked(**values), repository)


async def test_what_github_was_not_asked_is_a_no(home: House) -> None:
    with pytest.raises(AskerError, match="write access"):
        home.bot.authorization.check(asked(), SHOP)


async def test_what_github_cannot_say_now_is_asked_later(home: House) -> None:
    home.github.fail("/permission$", 500)
    with pytest.raises(RetryLater):
        await home.bot.authorization.require(asked(), SHOP)
