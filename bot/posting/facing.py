"""What the place of a post may read of its subject: everybody there, or the team alone."""

from dataclasses import replace

from bot import messages
from bot.errors import Refused
from bot.github import GitHub
from bot.messages.chains import Step, in_open, steps
from bot.posting.addresses import PageAddresses
from bot.posting.audience import Audience, outward
from bot.posting.channel_notes import ChannelNotes
from bot.posting.slack_addresses import SlackAddresses
from bot.slack import Slack
from bot.store import Store, chains, runs
from bot.tables import Build, Post, Run

Subject = Build | Run | None


class Facing:
    """Asks who reads a place, and gives what they may be shown with the link to its page."""

    def __init__(
        self,
        store: Store,
        addresses: PageAddresses,
        audience: Audience,
        slack: SlackAddresses,
        notes: ChannelNotes,
    ) -> None:
        self._store = store
        self._notes = notes
        self._slack = slack
        self._addresses = addresses
        self._audience = audience

    async def in_repository(self, github: GitHub, post: Post, subject: Subject) -> tuple[messages.View, str]:
        """For a place on GitHub."""
        is_open = self._is_public(post, subject) or await self.is_open(github, post)
        view, link = await self._facing(post, subject, is_open=is_open)
        if isinstance(subject, Run):
            message = None if is_open else await self._slack.of_run(subject.identity)
            line = None if is_open and not subject.public else post.place.get("line")
            beside = replace(view.beside, slack_link=message, line=line)
            view = replace(view, beside=beside)
        return view, link

    async def is_shared(self, slack: Slack, post: Post) -> bool:
        """Whether others than the team read the channel of `post`."""
        return await self._audience.reads_channel(slack, post.place["channel"])

    async def in_channel(self, slack: Slack, post: Post, subject: Subject) -> tuple[messages.View, str]:
        """For a channel of Slack."""
        is_open = await self.is_shared(slack, post)
        view, link = await self._facing(post, subject, is_open=is_open)
        if subject is not None:
            beside = await self._notes.beside(subject, view.beside, is_open=is_open)
            view = replace(view, beside=beside)
        return view, link

    @staticmethod
    def _is_public(post: Post, subject: Subject) -> bool:
        """Whether it was everybody's when it was asked for, in its own repository: then GitHub is not asked.

        Nothing of it is kept back there, and a link without a signature is never too much.
        """
        if subject is None or not subject.public or subject.repository is None:
            return False
        return subject.repository.casefold() == str(post.place["repository"]).casefold()

    async def to_asker(self, row: Build | Run) -> tuple[messages.View, str]:
        """For who asked, who may read the row, so the link is signed."""
        return await self._view(row, is_open=False), self._addresses.of(row, open_place=False)

    async def shows_log(self, github: GitHub, post: Post, row: Build | Run) -> bool:
        """Whether what the log says may stand in a place on GitHub."""
        return row.public or not await self.is_open(github, post)

    async def is_open(self, github: GitHub, post: Post) -> bool:
        """Whether everybody reads the repository of `post`."""
        return await self._audience.reads_repository(github, post.place["repository"])

    async def _facing(self, post: Post, subject: Subject, *, is_open: bool) -> tuple[messages.View, str]:
        if subject is None:
            raise Refused(f"a {post.kind} tells about a run or a build")
        return await self._view(subject, is_open=is_open), self._addresses.of(subject, open_place=is_open)

    async def _view(self, row: Build | Run, *, is_open: bool) -> messages.View:
        """What there is to say of it in a place that is open or not."""
        shown = outward(row) if is_open else row
        match shown:
            case Build():
                return messages.build_view(shown)
            case Run():
                of = await self._repeated(shown, is_open=is_open)
                build = self._addresses.build_of(shown, open_place=is_open)
                pull = None if is_open and not shown.public else self._addresses.pull_of(shown)
                chain = await self._chain(shown, is_open=is_open)
                return messages.run_view(shown, messages.Beside(of, build, pull_link=pull, chain=chain))

    async def _chain(self, run: Run, *, is_open: bool) -> tuple[Step, ...]:
        """The chain that it is of, as far as it may be told of in a place that is open or not."""
        if run.chain is None and not run.definition.get("then"):
            return ()
        links = await self._store.read(lambda session: chains.of_run(session, run))
        return steps(in_open(links, run.repository) if is_open else links)

    async def _repeated(self, run: Run, *, is_open: bool) -> Run | None:
        """The run that this one repeats, if it is kept and may be told of in a place that is open or not.

        Of another repository nothing is told.
        """
        number = run.rerun_of
        if number is None:
            return None
        old = await self._store.read(lambda s: runs.get(s, number))
        if old is None or old.repository != run.repository:
            return None
        return None if is_open and not old.public else old
