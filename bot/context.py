"""What the movement works with: one set, put together by the front door for the life of the service."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.access import links
from bot.config import Config
from bot.errors import AskerError
from bot.github import GitHub, Repository
from bot.registry import Registry
from bot.repositories import Repositories
from bot.slack import Slack
from bot.store import Store
from bot.tables import Build, Run
from executor.engine import Engine
from executor.logs.store import LogStore

DAY = 86400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Context:
    """`clock` gives seconds since the epoch, `nonce` unguessable words of `[a-z0-9]`, `link` a URL.

    `owner` is the name under which this bot claims work; GitHub and Slack are None where they are not
    configured. `keys` sign the links to pages, `repositories` are known by their numbers.
    """

    registry: Registry
    store: Store
    engine: Engine
    logs: LogStore
    github: GitHub | None
    slack: Slack | None
    clock: Callable[[], float]
    nonce: Callable[[], str]
    owner: str
    keys: links.Keys
    repositories: Repositories

    @property
    def config(self) -> Config:
        """The configuration as it holds now."""
        return self.registry.config

    @property
    def required_github(self) -> GitHub:
        """GitHub; `AskerError` where this installation has none, so nobody's rights can be known."""
        if self.github is None:
            raise AskerError("GitHub is not configured here, so nobody can be allowed anything.")
        return self.github

    async def about(self, repository: str) -> Repository:
        """What GitHub says of a repository by the name that it has here; `AskerError` where it is another."""
        return await self.repositories.about(self.required_github, repository)

    def link(self, row: Build | Run, *, open_place: bool) -> str:
        """The address of the page of `row`, for a place that everybody may read (`open_place`) or not.

        It carries a signature that opens it, except where everybody could use that, whatever the row:
        the place may be public while the run is of a private repository, or of none.
        """
        path = f"/{row.kind}s/{row.identity}"
        address = self.config.url.rstrip("/") + path
        if open_place and not (row.public and self.config.logs.public):
            return address
        today = self.clock() // DAY * DAY  # an edited card keeps its link for as long as one can
        expires = int(max(row.created_at, today)) + links.LINK_LIFE
        return f"{address}?{links.sign(path, expires=expires, keys=self.keys)}"
