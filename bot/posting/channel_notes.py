"""What a card in a channel of Slack says beyond the run or the build itself: who, where, and for how long."""

from collections.abc import Callable
from dataclasses import replace
from statistics import median

from bot import messages
from bot.posting.addresses import PageAddresses
from bot.posting.slack_members import SlackMembers
from bot.states import State
from bot.store import Session, Store, posts, queue_positions
from bot.tables import Build, Run


class ChannelNotes:
    """Finds them; `clock` gives seconds since the epoch."""

    def __init__(
        self, store: Store, members: SlackMembers, addresses: PageAddresses, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._members = members
        self._addresses = addresses
        self._clock = clock

    async def beside(self, row: Build | Run, beside: messages.Beside, *, is_open: bool) -> messages.Beside:
        """`beside` with what the channel may read of `row`; one that others read gets no way to the code."""
        member = self._members.of_actor(row.actor)
        membership = None if member is None else await self._members.in_words(member)
        beside = replace(beside, member=member, membership=membership)
        if not is_open:
            beside = replace(beside, commit_link=self._addresses.commit_of(row))
        if isinstance(row, Run) and (row.public or not is_open):
            beside = await self._of_run(row, beside, is_open=is_open)
        return beside

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
