"""What it takes to start: the commit that is meant, the build it needs, the places to tell."""

import pytest

from bot.access.questions import PermissionOn
from bot.catalog.catalog import Job
from bot.errors import AskerError
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Order, Target
from bot.handlers.places import SlackPlace
from bot.states import Cause
from bot.store import Session
from bot.tables import Run
from tests.bot.house import HEAD, SHOP, House

OPS = SlackPlace("C1", "#ops", None)


def asked(**values: object) -> RequestContext:
    return RequestContext(key="k", cause=Cause.SLACK, actor="slack:U1", login="octocat", **values)  # type: ignore[arg-type]


async def test_default_branch_is_meant_where_nothing_is_named(home: House) -> None:
    target = await home.bot.resolver.target(asked(place=OPS), "shop", None)
    assert target.source is not None
    assert (target.repository, target.source.commit, target.source.ref) == ("Acme/Shop", HEAD, "main")
    assert not target.public


async def test_only_images_are_built(home: House) -> None:
    with pytest.raises(ValueError, match="only an image"):
        await home.write(lambda s: home.bot.enqueuer.need_build(s, asked(), Target(SHOP, False)))


async def test_without_github_no_commit_is_known(home: House) -> None:
    bare = home.without(github=None)
    request = asked()
    request.facts[PermissionOn("Acme/Shop")] = "write"
    with pytest.raises(AskerError, match="GitHub is not configured"):
        await bare.bot.resolver.target(request, "shop", None)


async def test_transaction_that_is_run_again_remembers_nothing_of_the_first_time(home: House) -> None:
    order = Order(
        asked(place=OPS),
        0,
        Job(name="plain", command="true"),
        Target(SHOP, False),
        {"A": "b"},
    )
    seen: list[Run] = []

    def twice(session: Session) -> Run:
        for _ in range(2):
            with session.begin_nested() as attempt:
                seen.append(home.bot.enqueuer.enqueue(session, order))
                if len(seen) == 1:
                    attempt.rollback()
        return seen[-1]

    run = await home.write(twice)
    assert (run.parameters, run.state, len(seen)) == ({"A": "b"}, "waiting", 2)
    assert len(await home.posts()) == 1
