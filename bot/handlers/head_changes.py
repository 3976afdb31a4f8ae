"""Runs that wait for a yes are looked at when their pull request gets other commits, or is over.

A delivery may be late, or repeated: it says that something has happened, and GitHub what is so now.
"""

from collections.abc import Callable

from bot.events import Occurrence, Push
from bot.handlers.decisions import Decision, ignored
from bot.store import Session, reviews

_MOVING = ("synchronize", "closed")
"""What becomes of a pull request and may void a yes to its head."""


class HeadChanges:
    """Decides which runs that concerns; costs one statement, and nothing where none waits."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def moved(self, happened: Occurrence) -> Decision:
        """Those of a pull request, but for what was asked for its new head."""
        pull, action = happened.pull, happened.facts.get("action")
        if pull is None or action not in _MOVING:
            return ignored(f"{happened.subject}: no yes is void by that")
        head = None if action == "closed" else happened.commit
        found: list[int] = []

        def effect(session: Session) -> None:
            found[:] = [reviews.of_pull(session, happened.repository, pull, head, now=self._clock())]

        return Decision(False, effect, lambda: _note(happened.subject, found))

    def pushed(self, push: Push) -> Decision:
        """Those of pull requests from the branch, where GitHub tells of pushes alone."""
        if push.tag:
            return ignored("")
        found: list[int] = []

        def effect(session: Session) -> None:
            now = self._clock()
            found[:] = [reviews.of_branch(session, push.repository, push.name, push.after, now=now)]

        return Decision(False, effect, lambda: _note(f"push of {push.ref}", found))


def _note(subject: str, found: list[int]) -> str:
    return f"{subject}: {sum(found)} runs that wait for a yes are looked at"
