"""Who looks at their Home, as far as is known: Slack tells when it is opened, never when it is left."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bot.events.slack_facts import SlackAsker
from bot.handlers.visibility import Known

LIFE = 600.0
"""Seconds for which a Home that was opened is followed."""
SPACING = 0.8
"""Seconds between two times that one Home is published anew, but for its own person.

With making it, it is a second: as long as a place may take to show what another one shows.
"""
MOST = 100
"""People whose Homes are followed, those who opened theirs last; Slack takes some hundred a minute."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A Home as it was shown: its page of jobs, whose rights counted, and what was known at `asked_at`.

    It shows runs of `repositories` and of `own` jobs. `hash` is by what Slack knows it.
    """

    page: int
    login: str | None
    known: Known
    asked_at: float
    hash: str = ""
    repositories: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()


@dataclass(slots=True)
class Viewer:
    """Somebody, what they see, and until when it is followed. `is_stale`: something in it has moved.

    `published_at` is when their Home began to be made: what moved since is not in it.
    """

    asker: SlackAsker
    publication: Publication
    until: float
    published_at: float
    is_stale: bool = False


class HomeViewers:
    """Remembered by this process alone; a Home that is forgotten is only not followed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._viewers: dict[str, Viewer] = {}
        self.arrival = asyncio.Event()
        """Set when there is one."""

    def get(self, user: str) -> Viewer | None:
        """What somebody saw last."""
        return self._viewers.get(user)

    def note(
        self, asker: SlackAsker, publication: Publication, *, opened: bool, begun: float | None = None
    ) -> None:
        """Their Home was published; `opened`: because they looked at it. `begun`: when it began to be made.

        What moved while it was made is not in it, and nobody listened for somebody who is new.
        """
        now, old = self._clock(), self._viewers.pop(asker.user, None)
        if len(self._viewers) >= MOST:
            del self._viewers[next(iter(self._viewers))]
        until = now + LIFE if opened or old is None else old.until
        is_stale = old is None or old.is_stale
        published_at = now if begun is None else begun
        self._viewers[asker.user] = Viewer(asker, publication, until, published_at, is_stale)
        self.arrival.set()

    def forget(self, user: str) -> None:
        """Their Home is followed no more."""
        self._viewers.pop(user, None)

    def touch(self, repositories: Collection[str] | None, jobs: Collection[str] = ()) -> None:
        """Something moved in these repositories, or of these jobs; None: anywhere."""
        for viewer in self._viewers.values():
            seen = viewer.publication
            if repositories is None or not (
                seen.repositories.isdisjoint(repositories) and seen.own.isdisjoint(jobs)
            ):
                viewer.is_stale = True

    def due(self) -> list[Viewer]:
        """Whose Home is to be published anew now, who waited longest first."""
        now = self._clock()
        for user in [user for user, viewer in self._viewers.items() if viewer.until <= now]:
            del self._viewers[user]
        stale = (each for each in self._viewers.values() if each.is_stale)
        ripe = [viewer for viewer in stale if viewer.published_at + SPACING <= now]
        return sorted(ripe, key=lambda viewer: viewer.published_at)

    def rest(self) -> float | None:
        """Seconds until somebody's Home is due or is not followed any more; None where nobody's is."""
        now = self._clock()
        times = [
            each.published_at + SPACING if each.is_stale else each.until for each in self._viewers.values()
        ]
        return max(min(times) - now, 0.0) if times else None
