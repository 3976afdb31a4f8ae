"""What GitHub recorded and Errand does not have is fetched: once, by one bot, the oldest first."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from bot.errors import RetryLater
from bot.store import Session, scans
from bot.store.columns import DELIVERY
from bot.tables import Delivery
from bot.workers import catch_up
from bot.workers.catch_up import CatchUp
from demo import deliveries
from tests.bot.house import SHOP, House


def _look(home: House, poll: float | None = 10.0) -> CatchUp:
    assert home.tools.github is not None
    recorded = home.tools.github.recorded
    assert recorded is not None
    return CatchUp(recorded, home.bot.holder, home.tools.registry.config.deliveries, poll)


def _comment(home: House, number: int) -> dict[str, Any]:
    return deliveries.issue_comment(SHOP, 7, number, "octocat", "/job list", private=True, at=home.now)


async def _keys(home: House) -> list[str]:
    def read(session: Session) -> list[str]:
        return list(session.scalars(select(DELIVERY.key).order_by(DELIVERY.id)))

    return await home.store.read(read)


@pytest.fixture
async def look(home: House, monkeypatch: pytest.MonkeyPatch) -> CatchUp:
    """It has begun a while ago."""
    monkeypatch.setattr(home.github, "_clock", lambda: home.now)
    made = _look(home)
    await made._begin()
    home.now += 1000
    return made


async def test_what_did_not_come_in_is_fetched_the_oldest_first_and_the_rest_left_alone(
    home: House, look: CatchUp
) -> None:
    github = home.github
    for number, guid in enumerate(("one", "two", "three")):
        github.record("issue_comment", guid, _comment(home, number), 0)
        home.now += 1
    github.record("two-of-three", "two", {}, 0)
    github.record("watch", "nobody-listens", {}, 502)
    github.record("ping", "ping", {}, 200)
    await home.store.add_delivery(
        key="github:two", source="github", event="issue_comment", media_type="m", body=b"{}", now=home.now
    )
    await look.look()
    assert await _keys(home) == ["github:two", "github:one", "github:three"]
    assert github.count("hook/deliveries/") == 2
    home.now += 11
    await look.look()
    assert github.count("hook/deliveries/") == 2


async def test_what_was_sent_before_errand_began_is_not_fetched(home: House) -> None:
    home.github.record("issue_comment", "before", _comment(home, 1), 0)
    home.now += 3600
    begun = _look(home)
    await begun._begin()
    await begun.look()
    assert await _keys(home) == []


async def test_one_of_several_bots_looks_when_it_is_due(home: House, look: CatchUp) -> None:
    await look.look()
    asked = home.github.count("hook/deliveries")
    await _look(home).look()
    assert home.github.count("hook/deliveries") == asked
    home.now += 11
    await _look(home).look()
    assert home.github.count("hook/deliveries") == asked + 1


async def test_many_pages_are_read_and_an_interrupted_look_goes_on_where_it_was(
    home: House, look: CatchUp
) -> None:
    for number in range(230):
        home.github.record("issue_comment", f"n{number:03}", _comment(home, number), 0)
        home.now += 1
    home.github.fail("hook/deliveries/", 500, times=1)
    with pytest.raises(RetryLater):
        await look.look()
    assert await _keys(home) == []
    home.now += 11
    await look.look()
    assert await _keys(home) == [f"github:n{number:03}" for number in range(230)]
    assert home.github.count("hook/deliveries$") == 6


async def test_time_of_a_look_is_bounded_and_the_next_is_due_at_once(
    home: House, look: CatchUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        home.github.record("issue_comment", f"n{number}", _comment(home, number), 0)
        home.now += 400
    moments = iter([0.0, 1.0, 99.0])
    monkeypatch.setattr(catch_up, "monotonic", lambda: next(moments, 0.0))
    await look.look()
    assert await _keys(home) == ["github:n0"]
    await look.look()
    assert await _keys(home) == ["github:n0", "github:n1", "github:n2"]


async def test_delivery_that_github_does_not_give_is_given_up(home: House, look: CatchUp) -> None:
    for guid in ("gone", "there"):
        home.github.record("issue_comment", guid, _comment(home, 1), 0)
    home.github.fail(f"hook/deliveries/{home.github.state.recorded[0].id}$", 404)
    await look.look()
    assert await _keys(home) == ["github:there"]


async def test_payload_that_is_none_is_given_up_and_a_large_one_is_taken(home: House, look: CatchUp) -> None:
    large = {**_comment(home, 1), "padding": "x" * 3_000_000}
    home.github.record("issue_comment", "large", large, 0)
    home.github.record("issue_comment", "none", {}, 0)
    body: dict[str, Any] = {"request": {"payload": None}}
    home.github.fail(f"hook/deliveries/{home.github.state.recorded[1].id}$", 200, body=body)
    await look.look()
    assert await _keys(home) == ["github:large"]
    stored = await home.store.read(lambda s: s.scalars(select(Delivery)).one().body)
    assert json.loads(stored) == large


async def test_bot_that_starts_looks_at_once(home: House, look: CatchUp) -> None:
    await look.look()
    asked = home.github.count("hook/deliveries")
    await _look(home, poll=3600.0)._begin()
    await look.look()
    assert home.github.count("hook/deliveries") == asked + 1


async def test_key_of_another_app_has_a_mark_of_its_own(home: House, look: CatchUp) -> None:
    await home.write(lambda s: scans.begin(s, "github:other", now=1.0))
    home.github.record("issue_comment", "guid", _comment(home, 1), 0)
    await look.look()
    assert await _keys(home) == ["github:guid"]
