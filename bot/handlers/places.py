"""Where somebody asks: what each kind of place has."""

from dataclasses import dataclass
from typing import ClassVar

from bot.access.callers import Caller
from bot.github import PullRequest


@dataclass(frozen=True, slots=True)
class GitHubPlace:
    """A repository, and the pull request or issue of it where there is one. `public`: anyone may read it.

    `pull` is what GitHub says of the pull request; None before it was asked. `thread`: it was asked on a line
    of the code, of whose comments that is the first. `written_at` is when it was asked by GitHub's clock, in
    epoch seconds; `commit` the one that was looked at, which reviews name.
    """

    repository: str
    number: int | None = None
    pull: PullRequest | None = None
    public: bool = False
    thread: int | None = None
    written_at: float | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """A channel, by its id and by its name with its `#`, empty where Slack does not say it.

    `response_url` reaches the asker for half an hour, also where Errand is in no channel with them. `thread`
    is the message whose answers it was asked among, `user` who asked, by whose id they are answered where
    there is no such address. `mention` is what commands begin with where Errand was asked by its name:
    `@errand`.
    """

    channel: str
    name: str
    response_url: str | None
    thread: str | None = None
    user: str | None = None
    mention: str | None = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """What the channel may be called in `app.yaml`, and in posts."""
        return (self.channel, self.name) if self.name else (self.channel,)


@dataclass(frozen=True, slots=True)
class TerminalPlace:
    """A chat on the command line, where people ask as they would in `repository`."""

    repository: str
    channel: ClassVar[str] = "terminal"
    response_url: ClassVar[None] = None
    thread: ClassVar[None] = None

    @property
    def spellings(self) -> tuple[str, ...]:
        """The same as of a channel of Slack."""
        return (self.channel,)


@dataclass(frozen=True, slots=True)
class HttpPlace:
    """A request over HTTP. The caller's scopes were asked; of a person GitHub says what they may besides."""

    caller: Caller


@dataclass(frozen=True, slots=True)
class PagePlace:
    """A page of Errand, read by somebody who is logged in as a person; it shows what comes of it."""


Place = GitHubPlace | SlackPlace | TerminalPlace | HttpPlace | PagePlace
Chat = SlackPlace | TerminalPlace
