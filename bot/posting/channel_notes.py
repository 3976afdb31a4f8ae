"""What a card in a channel of Slack says beyond the run or the build itself: who, where, and for how long."""

from collections.abc import Callable
from dataclasses import replace
from statistics import median

from bot import messages
from bot.posting.addresses import PageAddresses
from bot.posting.slack_members import SlackMembers
from bot.states import State
from bot.store import Store, posts, queue_positions
from bot.tables import Build, Run

USUAL_KEPT = 60.0
"""Seconds for which is remembered how long the runs of a job take."""
MOST_JOBS = 1000
"""Jobs of which that is remembered."""


class ChannelNotes:
    """Finds them; `clock` gives seconds since the epoch."""

    def __init__(
        self, store: Store, members: SlackMembers, addresses: PageAddresses, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._members = members
        self._addresses = addresses
        self._clock = clock
        self._usual: dict[str, tuple[float, float | None]] = {}

    async def beside(self, row: Build | Run, beside: messages.Beside, *, is_open: bool) -> messages.Beside:
        """`beside` with what the channel may read of `row`; of what is not public others get no way to it."""
        member = self._members.of_actor(row.actor)
        membership = None if member is None else await self._members.in_words(member)
        beside = replace(beside, member=member, membership=membership)
        if is_open and not row.public:
            return beside
        beside = replace(beside, commit_link=self._addresses.commit_of(row))
        return await self._of_run(row, beside) if isinstance(row, Run) else beside

    async def _of_run(self, run: Run, beside: messages.Beside) -> messages.Beside:
        number, started_at = run.identity, run.started_at
        comment = await self._store.read(lambda s: posts.comment_of(s, number))
        if comment is not None:
            beside = replace(beside, comment_link=self._addresses.comment_at(comment))
        if run.state != State.RUNNING or started_at is None:
            return beside
        gone = max(self._clock() - started_at, 0.0)
        return replace(beside, elapsed_s=gone, usual_s=await self._usual_of(run.job))

    async def _usual_of(self, job: str) -> float | None:
        """Seconds that a run of the job takes: the median of the newest that succeeded."""
        until, usual = self._usual.get(job, (0.0, None))
        if until <= self._clock():
            took = await self._store.read(lambda s: queue_positions.durations(s, job))
            usual = median(took) if took else None
            if len(self._usual) >= MOST_JOBS:
                self._usual.clear()
            self._usual[job] = (self._clock() + USUAL_KEPT, usual)
        return usual
