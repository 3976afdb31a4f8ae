"""Where a run or a build is told: where it was asked for, on the commit, in the channels of its job."""

from collections.abc import Callable, Iterable

from bot.catalog.notify import Notify
from bot.github import GitHub
from bot.handlers.authorization import RequestContext
from bot.handlers.orders import Target
from bot.handlers.places import Chat, GitHubPlace
from bot.posting import targets
from bot.slack import Slack
from bot.tables import OccurrenceSeen, Post


class CardTargets:
    """Makes the posts that will carry cards; what is not configured is told nothing."""

    def __init__(
        self,
        github: GitHub | None,
        slack: Slack | None,
        clock: Callable[[], float],
        nonce: Callable[[], str],
    ) -> None:
        self._github = github
        self._slack = slack
        self._clock = clock
        self._nonce = nonce

    def of(
        self,
        context: RequestContext,
        target: Target,
        subject: str,
        *,
        github: bool,
        channels: Iterable[Notify],
    ) -> list[Post]:
        """All places; `github`: also the commit. A channel that is named twice is told once; a thread in it
        is a place of its own.

        Where everybody who names it says when, it is told nothing yet, unless it was asked from there.

        A later card of the same `subject` (`run:migrate`) takes the place of this one in its pull request.
        """
        now, nonce = self._clock(), self._nonce
        place, cards = context.place, list[Post]()
        if isinstance(place, GitHubPlace) and place.number is not None:
            there = targets.PullPlace(place.repository, place.number, place.thread)
            cards.append(targets.comment(there, subject, context.line, now=now, nonce=nonce()))
        if github:
            cards += self.commit(target)
        if self._slack is not None:
            cards += self._in_slack(context.chat, _channels(channels))
        return cards

    def _in_slack(self, chat: Chat | None, quiet: dict[str, bool]) -> list[Post]:
        """The channels by name or id, and whether each is quiet; and where it was asked for."""
        now, nonce, cards = self._clock(), self._nonce, list[Post]()
        here, url = (chat.spellings, chat.response_url) if chat else ((), None)
        thread = chat.thread if chat else None
        if chat and thread is None and quiet.keys().isdisjoint(here):
            quiet = {**quiet, chat.channel: False}
        for name, is_quiet in quiet.items():
            is_origin = name in here and thread is None
            spot, back = targets.ChannelPlace(name, is_origin=is_origin), url if name in here else None
            cards.append(
                targets.channel(spot, url=back, quiet=is_quiet and not is_origin, now=now, nonce=nonce())
            )
        if chat and thread is not None:
            spot = targets.ChannelPlace(chat.channel, thread, is_origin=True)
            cards.append(targets.channel(spot, url=url, now=now, nonce=nonce()))
        return cards

    def commit(self, target: Target) -> list[Post]:
        """The commit that is built, where there is one on GitHub."""
        if self._github is None or target.source is None or not target.repository:
            return []
        where, app = (target.repository, target.source.commit), self._github.is_app
        return [targets.commit(*where, app=app, now=self._clock(), nonce=self._nonce())]

    def occurrence(self, row: OccurrenceSeen, repository: str) -> list[Post]:
        """What waits on GitHub for the end of the run: a deployment, or a workflow before one."""
        if self._github is None:
            return []
        now, nonce = self._clock(), self._nonce()
        if row.review is not None:
            return [targets.review(row, repository, now=now, nonce=nonce)]
        return [] if row.deployment is None else [targets.deployment(row, repository, now=now, nonce=nonce)]

    def verdict(self, target: Target, job: str, conclusion: str, title: str, key: str) -> list[Post]:
        """The check of a job for which nothing runs on a commit, where somebody may wait for it."""
        if self._github is None or target.source is None or not target.repository:
            return []
        place = targets.Verdict(
            target.repository, target.source.commit, job, conclusion, title, self._github.is_app, key
        )
        return [targets.verdict(place, title, now=self._clock(), nonce=self._nonce())]


def _channels(named: Iterable[Notify]) -> dict[str, bool]:
    """The channels, and whether all who name one say when."""
    quiet: dict[str, bool] = {}
    for notify in named:
        if notify.slack:
            quiet[notify.slack] = quiet.get(notify.slack, True) and notify.when is not None
    return quiet
