"""The addresses of pages as they are written where people read: signed where only the team reads."""

import re
from collections.abc import Callable
from urllib.parse import urlencode

from bot.access import links
from bot.config.github_app import web_url
from bot.registry import Registry
from bot.states import ActorKind
from bot.store import posts
from bot.tables import Build, Run

_LOGIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}(?:\[bot\])?)?", re.ASCII)
_APP = "[bot]"
_COMMENT = re.compile(r"github:(comment|review_comment|review):([0-9]{1,19}):", re.ASCII)
"""How the key of what a comment asked for begins."""
_ANCHORS = {"comment": "issuecomment-", "review_comment": "discussion_r", "review": "pullrequestreview-"}

DAY = 86400.0
"""Seconds."""


class PageAddresses:
    """Makes addresses; `keys` sign them, `clock` gives seconds since the epoch."""

    def __init__(self, registry: Registry, keys: links.Keys, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._keys = keys
        self._clock = clock

    @property
    def front(self) -> str:
        """The address of the first page."""
        return self._registry.config.url.rstrip("/") + "/"

    def entrance(self, login: str, nonce: str) -> str:
        """Where somebody logs in to the pages as `login`, once and soon; for nobody else's eyes."""
        expires = int(self._clock()) + links.TICKET_LIFE
        ticket = links.ticket(login, expires=expires, nonce=nonce, keys=self._keys)
        return f"{self.front}login/slack?{urlencode({'ticket': ticket})}"

    def of(self, row: Build | Run, *, open_place: bool) -> str:
        """The address of the page of `row`, for a place that everybody may read (`open_place`) or not.

        It carries a signature that opens it, except where everybody could use that, whatever the row:
        the place may be public while the run is of a private repository, or of none.
        """
        return self._signed(f"/{row.kind}s/{row.identity}", row, open_place=open_place)

    def build_of(self, run: Run, *, open_place: bool) -> str | None:
        """The address of the page of the build that a run needs, as its own."""
        if run.build_number is None:
            return None
        return self._signed(f"/builds/{run.build_number}", run, open_place=open_place)

    def pull_of(self, run: Run) -> str | None:
        """The address of the pull request that a run is of."""
        if run.repository is None or run.pull_request is None:
            return None
        return self._on_github(f"{run.repository}/pull/{run.pull_request}")

    def person(self, actor: str) -> str | None:
        """The address of the account of who asked, where that is one of GitHub."""
        kind, _, login = actor.partition(":")
        if kind != ActorKind.GITHUB or not _LOGIN.fullmatch(login):
            return None
        path = f"apps/{login.removesuffix(_APP)}" if login.endswith(_APP) else login
        return self._on_github(path)

    def asked_at(self, run: Run) -> str | None:
        """The address of the comment that asked for a run."""
        found = _COMMENT.match(run.key)
        pull = self.pull_of(run)
        return None if found is None or pull is None else f"{pull}#{_ANCHORS[found[1]]}{found[2]}"

    def check_at(self, repository: str, check: str) -> str | None:
        """The address of a check run of ours."""
        return self._on_github(f"{repository}/runs/{check}")

    def commit_of(self, row: Build | Run) -> str | None:
        """The address of the commit that a run or a build is of."""
        if row.repository is None or row.commit is None:
            return None
        return self._on_github(f"{row.repository}/commit/{row.commit}")

    def comment_at(self, place: posts.CommentPlace) -> str | None:
        """The address of a comment of ours."""
        anchor = "discussion_r" if place.on_line else "issuecomment-"
        return self._on_github(f"{place.repository}/pull/{place.issue}#{anchor}{place.comment}")

    def _on_github(self, path: str) -> str | None:
        github = self._registry.config.github
        return None if github is None else f"{web_url(github.api_url)}/{path}"

    def _signed(self, path: str, row: Build | Run, *, open_place: bool) -> str:
        config = self._registry.config
        address = config.url.rstrip("/") + path
        if open_place and not (row.public and config.logs.public):
            return address
        today = self._clock() // DAY * DAY  # an edited card keeps its link for as long as one can
        expires = int(max(row.created_at, today)) + links.LINK_LIFE
        return f"{address}?{links.sign(path, expires=expires, keys=self._keys)}"
