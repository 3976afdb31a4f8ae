"""Whose Home is published anew, how often, and for how long."""

from bot.events.slack_facts import SlackAsker
from bot.handlers.slack.viewers import LIFE, MOST, SPACING, HomeViewers, Publication
from bot.handlers.visibility import Known
from tests.clocks import Clock, clock

__all__ = ["clock"]

SHOP = frozenset({"acme/shop"})


def looks(
    viewers: HomeViewers, clock: Clock, user: str = "U1", *, opened: bool = True, begun: float | None = None
) -> None:
    viewers.note(
        SlackAsker(user),
        Publication(1, "octocat", Known(), clock(), repositories=SHOP, own=frozenset({"own"})),
        opened=opened,
        begun=begun,
    )


def due(viewers: HomeViewers) -> list[str]:
    return [viewer.asker.user for viewer in viewers.due()]


def test_home_is_due_when_something_in_it_moved_and_not_sooner_than_some_seconds(clock: Clock) -> None:
    viewers = HomeViewers(clock)
    looks(viewers, clock)
    assert due(viewers) == []
    clock.ahead += SPACING
    (viewer,) = viewers.due()  # of what nobody listened to while it was made
    viewer.is_stale = False
    viewers.touch({"acme/site"})
    assert due(viewers) == []
    viewers.touch({"acme/site"}, {"own"})
    assert due(viewers) == ["U1"]
    viewers.due()[0].is_stale = False
    viewers.touch({"acme/shop"})
    assert due(viewers) == ["U1"]
    looks(viewers, clock, opened=False)  # which was made before it moved
    assert due(viewers) == []
    assert 0.0 < (viewers.rest() or 0.0) <= SPACING
    clock.ahead += SPACING
    assert due(viewers) == ["U1"]
    began = clock()
    clock.ahead += SPACING  # for as long as it was made
    looks(viewers, clock, opened=False, begun=began)
    assert due(viewers) == ["U1"]


def test_home_is_followed_for_a_while_after_it_was_opened(clock: Clock) -> None:
    viewers = HomeViewers(clock)
    looks(viewers, clock)
    clock.ahead += LIFE - 60
    looks(viewers, clock, opened=False)
    clock.ahead += 60
    viewers.touch(None)
    assert due(viewers) == []
    assert viewers.rest() is None


def test_those_who_came_last_are_followed_and_no_more_than_so_many(clock: Clock) -> None:
    viewers = HomeViewers(clock)
    for number in range(MOST + 1):
        looks(viewers, clock, f"U{number}")
    clock.ahead += SPACING
    viewers.touch(None)
    assert len(due(viewers)) == MOST
    assert viewers.get("U0") is None
