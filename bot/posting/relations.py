"""Where what a run or a build comes from can be seen, and where it is told: for its page."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bot import messages
from bot.posting.addresses import PageAddresses
from bot.posting.slack_addresses import SlackAddresses
from bot.store import posts
from bot.tables import Build, Post, Run

PATIENCE_S = 0.5
"""Seconds for which a page waits for Slack, once in the life of the service if Slack answers."""

_MESSAGE = "slack_message"
_NAMES = {
    "github_comment": "comment in the pull request",
    "github_check": "check of the commit",
    "github_status": "status of the commit",
    "github_deployment": "deployment on GitHub",
    "github_review": "answer to a protection rule",
    "slack_message": "message in Slack",
}
"""The kinds of posts that tell of one run or build, as people call them."""


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """Where it is told how it stands.

    `at` is since when, where the place says that; `is_behind`: there is more to tell.
    """

    name: str
    link: str | None
    at: float | None
    is_told: bool
    is_behind: bool
    has_failed: bool


@dataclass(frozen=True, slots=True)
class Relations:
    """Addresses on GitHub, in Slack and at registries, as far as they are known; never pages of ours."""

    commit: str | None = None
    pull: str | None = None
    comment: str | None = None  # the one that asked
    person: str | None = None
    image: str | None = None
    slack: str | None = None
    places: tuple[ToldPlace, ...] = ()


class RelationFinder:
    """Finds them, with at most one question to Slack in its life."""

    def __init__(self, addresses: PageAddresses, slack: SlackAddresses) -> None:
        self._addresses = addresses
        self._slack = slack

    async def of_run(self, run: Run, cards: Sequence[Post]) -> Relations:
        """Those of a run that these `cards` tell of."""
        slack = await self._in_slack(cards)
        return Relations(
            commit=self._addresses.commit_of(run),
            pull=self._addresses.pull_of(run),
            comment=self._addresses.asked_at(run),
            person=self._addresses.person(run.actor),
            image=messages.image_page(run.digest),
            slack=slack,
            places=self._places(run, cards, slack),
        )

    def of_build(self, build: Build, cards: Sequence[Post]) -> Relations:
        """Those of a build, in the same way."""
        return Relations(
            commit=self._addresses.commit_of(build),
            person=self._addresses.person(build.actor),
            image=messages.image_page(build.digest),
            places=self._places(build, cards, None),
        )

    async def _in_slack(self, cards: Sequence[Post]) -> str | None:
        """The address of the first message; a page does not wait for long for what Slack says of itself."""
        places = (
            posts.message_at(card.remote_id or "", card.place) for card in cards if card.kind == _MESSAGE
        )
        where = next(filter(None, places), None)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self._slack.of_message(where)
        except TimeoutError:
            return None

    def _places(self, row: Build | Run, cards: Sequence[Post], slack: str | None) -> tuple[ToldPlace, ...]:
        return tuple(
            ToldPlace(
                name=_NAMES[card.kind],
                link=self._link(row, card, slack),
                at=_posted_at(card),
                is_told=card.sent > 0,
                is_behind=card.state == "open" and card.sent < card.wanted,
                has_failed=card.state == "failed",
            )
            for card in cards
            if card.kind in _NAMES
        )

    def _link(self, row: Build | Run, card: Post, slack: str | None) -> str | None:
        place, remote = card.place, card.remote_id
        if card.kind == _MESSAGE:
            return slack
        if remote is None or not remote.isdigit():
            return self._addresses.commit_of(row) if card.kind == "github_status" and card.sent else None
        if card.kind == "github_comment":
            there = posts.CommentPlace(place["repository"], place["issue"], int(remote), "thread" in place)
            return self._addresses.comment_at(there)
        return self._addresses.check_at(place["repository"], remote) if card.kind == "github_check" else None


def _posted_at(card: Post) -> float | None:
    """When it was posted: Slack names a message by that; the other places do not say."""
    if card.kind != _MESSAGE:
        return None
    _, _, at = (card.remote_id or "").partition(" ")
    try:
        return float(at) or None
    except ValueError:
        return None
