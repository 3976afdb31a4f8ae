"""What a card in a channel of Slack says beyond the run or the build itself: who, where, and for how long."""

import re
from collections.abc import Callable
from dataclasses import replace
from statistics import median

from bot import messages
from bot.posting.addresses import PageAddresses
from bot.registry import Registry
from bot.states import ActorKind, State
from bot.store import Session, Store, posts, queue_positions
from bot.tables import Build, Run

_MEMBER = re.compile(r"[UW][A-Z0-9]{7,20}", re.ASCII)


class ChannelNotes:
    """Finds them; `clock` gives seconds since the epoch."""

    def __init__(
        self, store: Store, registry: Registry, addresses: PageAddresses, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._registry = registry
        self._addresses = addresses
        self._clock = clock

    async def beside(self, row: Build | Run, beside: messages.Beside, *, is_open: bool) -> messages.Beside:
        """`beside` with what the channel may read of `row`; one that others read gets no way to the code."""
        beside = replace(beside, member=self.member(row.actor))
        if not is_open:
            beside = replace(beside, commit_link=self._addresses.commit_of(row))
        if isinstance(row, Run) and (row.public or not is_open):
            beside = await self._of_run(row, beside, is_open=is_open)
        return beside

    def member(self, actor: str) -> str | None:
        """The id in Slack of who asked, where that is known."""
        kind, _, name = actor.partition(":")
        if kind == ActorKind.SLACK and _MEMBER.fullmatch(name):
            return name
        slack = self._registry.config.slack
        if slack is None or kind not in (ActorKind.SLACK, ActorKind.GITHUB):
            return None
        login = name.casefold()
        return next((member for member, each in slack.people.items() if each.casefold() == login), None)

    async def _of_run(self, run: Run, beside: messages.Beside, *, is_open: bool) -> messages.Beside:
        number, running = run.identity, run.state == State.RUNNING and run.started_at is not None

        def look(session: Session) -> tuple[posts.CommentPlace | None, list[float]]:
            comment = None if is_open else posts.comment_of(session, number)
            return comment, queue_positions.durations(session, run.job) if running else []

        comment, took = await self._store.read(look)
        gone = max(self._clock() - run.started_at, 0.0) if running and run.started_at is not None else None
        return replace(
            beside,
            comment_link=self._addresses.comment_at(comment) if comment is not None else None,
            elapsed_s=gone,
            usual_s=median(took) if took else None,
        )
