"""What GitHub knows of a pull request beyond where it comes from: checks, reviews, signatures, pushes.

What it does not tell completely is None. Lists are read to their end, up to `PAGES` of them.
"""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.catalog.requirements import Check
from bot.errors import Refused
from bot.github import answers
from bot.github.answers import field, moment, number, repository_path, text
from bot.github.transport import Answer, Call

PAGE, PAGES = 100, 10
MOVES = 30
"""Pushes of a branch that are looked at."""
COMMITS = 250
"""GitHub tells no more commits of a pull request."""
BETWEEN = 5
"""Commits that are told of those that came in between."""
_PASSED = frozenset({"success", "neutral", "skipped"})
_ITSELF = "web-flow"
_NOT_YET = "~"
"""What has not begun is newer than what has."""
_SPOKEN = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})

Send = Callable[[str, Call], Awaitable[Answer]]
Permission = Callable[[str, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Logins of people who may write: who approved a commit, and who wants changes."""

    approvals: Sequence[str]
    objections: Sequence[str]


@dataclass(frozen=True, slots=True)
class Move:
    """A branch was moved by a push; `at` by GitHub's clock, in seconds, and at last where it does not say."""

    before: str
    after: str
    at: float


@dataclass(frozen=True, slots=True)
class Between:
    """The newest commits that came in: short SHA, first line and author; `count`: of how many."""

    commits: Sequence[tuple[str, str, str]]
    count: int


class PullFactsReader:
    """Asks through `send`; `permission` is of a login in a repository, `app_id` that of the App."""

    def __init__(self, send: Send, permission: Permission, app_id: str | None) -> None:
        self._send = send
        self._permission = permission
        self._app_id = app_id

    async def checks(self, repository: str, sha: str) -> list[Check] | None:
        """The newest run of each check and the newest status of each context, but for Errand's own."""
        path = f"{repository_path(repository)}/commits/{answers.ref_segment(sha)}"
        runs = await self._listed(repository, f"{path}/check-runs", {"filter": "latest"}, "check_runs")
        statuses = await self._listed(repository, f"{path}/statuses", {}, None)
        if runs is None or statuses is None:
            return None
        newest: dict[str, tuple[str, Check]] = {}
        for run in runs:
            name = text(run, "name")
            if name is None or str(number(run, "app", "id") or "") == self._app_id:
                continue
            conclusion = text(run, "conclusion")
            state = conclusion if text(run, "status") == "completed" and conclusion else text(run, "status")
            check = Check(name, conclusion in _PASSED and state == conclusion, state or "unknown")
            at = text(run, "started_at") or _NOT_YET
            if name not in newest or newest[name][0] <= at:
                newest[name] = (at, check)
        contexts: dict[str, Check] = {}
        for status in statuses:  # GitHub lists the newest first
            name, state = text(status, "context"), text(status, "state") or "unknown"
            if name is not None and not _is_own(name, self._app_id):
                contexts.setdefault(name, Check(name, state == "success", state))
        return [*(check for _, check in newest.values()), *contexts.values()]

    async def reviews(self, repository: str, pull: int, sha: str, author: str | None) -> Reviews | None:
        """What stands of each person's reviews: an approval counts for the commit `sha` alone."""
        path = f"{repository_path(repository)}/pulls/{int(pull)}/reviews"
        found = await self._listed(repository, path, {}, None)
        if found is None:
            return None
        last: dict[str, Any] = {}
        for review in found:  # GitHub lists the oldest first
            login = text(review, "user", "login")
            if login is not None and text(review, "state") in _SPOKEN:
                last[login] = review
        approvals = [
            login
            for login, review in last.items()
            if text(review, "state") == "APPROVED" and text(review, "commit_id") == sha and login != author
        ]
        objections = [login for login, each in last.items() if text(each, "state") == "CHANGES_REQUESTED"]
        if (
            len(objections) > MOVES
        ):  # anybody may ask for changes, and hide behind many who do the one that counts
            return None
        return Reviews(
            await self._writers(repository, approvals), await self._writers(repository, objections)
        )

    async def behind(self, repository: str, base: str, sha: str) -> int | None:
        """How many commits of the branch `base` are not in `sha`."""
        between = f"{quote(f'refs/heads/{base}', safe='')}...{quote(sha, safe='')}"
        return number(await self._compared(repository, between, 1), "behind_by")

    async def unsigned(self, repository: str, pull: int, sha: str) -> list[str] | None:
        """The commits whose signature GitHub has not verified, where `sha` is (still) among them."""
        path = f"{repository_path(repository)}/pulls/{int(pull)}/commits"
        found = await self._listed(repository, path, {}, None)
        if not found or len(found) >= COMMITS or all(text(commit, "sha") != sha for commit in found):
            return None
        return [
            text(commit, "sha") or "?"
            for commit in found
            if field(commit, "commit", "verification", "verified") is not True
        ]

    async def authors(self, repository: str, sha: str) -> list[str | None]:
        """The logins of who wrote and of who committed a commit; None for whom GitHub does not know.

        What was committed on its own pages has GitHub itself as committer, who is nobody.
        """
        path = f"{repository_path(repository)}/commits/{answers.ref_segment(sha)}"
        data = (await self._send(repository, Call("GET", path))).data
        logins = [text(data, "author", "login"), text(data, "committer", "login")]
        return [login for login in logins if login != _ITSELF]

    async def moves(self, repository: str, branch: str) -> list[Move] | None:
        """The last pushes of a branch, the newest first; None where GitHub does not tell them.

        https://docs.github.com/rest/repos/repos#list-repository-activities
        """
        path = f"{repository_path(repository)}/activity"
        query: dict[str, str | int | None] = {"ref": f"refs/heads/{branch}", "per_page": MOVES}
        try:
            data = (await self._send(repository, Call("GET", path, query, may_lack=True))).data
        except Refused:  # also where the App is not installed, as on a fork
            return None
        rows = data if isinstance(data, list) else []
        return [
            Move(text(row, "before") or "", text(row, "after") or "", at if at is not None else math.inf)
            for row in rows
            for at in [moment(text(row, "timestamp"))]
        ]

    async def between(self, repository: str, before: str, after: str) -> Between | None:
        """The commits that `after` has and `before` has not; None where GitHub does not tell."""
        data = await self._compared(repository, f"{quote(before, safe='')}...{quote(after, safe='')}", PAGE)
        rows = field(data, "commits")
        if not isinstance(rows, list):
            return None
        commits = [
            (
                (text(row, "sha") or "")[:7],
                (text(row, "commit", "message") or "").partition("\n")[0],
                text(row, "author", "login") or text(row, "commit", "author", "name") or "?",
            )
            for row in rows[-BETWEEN:]
        ]
        return Between(commits, number(data, "total_commits") or len(rows))

    async def _compared(self, repository: str, between: str, size: int) -> Any:
        path = f"{repository_path(repository)}/compare/{between}"
        try:
            return (await self._send(repository, Call("GET", path, {"per_page": size}, may_lack=True))).data
        except Refused as refused:
            if refused.status in (404, 409, 422):
                return None
            raise

    async def _listed(
        self, repository: str, path: str, query: Mapping[str, str | int | None], key: str | None
    ) -> list[Any] | None:
        """All rows of a list; None where it may not be read, or has more pages than are."""
        rows: list[Any] = []
        for page in range(1, PAGES + 1):
            call = Call("GET", path, {**query, "per_page": PAGE, "page": page}, may_lack=True)
            try:
                answer = await self._send(repository, call)
            except Refused as refused:
                if refused.status in (403, 404, 422):
                    return None
                raise
            some = field(answer.data, key) if key else answer.data
            if not isinstance(some, list):
                return None
            rows += some
            if page >= answers.last_page(answer.headers.get("link")):
                return rows
        return None

    async def _writers(self, repository: str, logins: Sequence[str]) -> list[str]:
        """Those who may write, of the first `MOVES`; one question each."""
        return [
            login
            for login in logins[:MOVES]
            if await self._permission(repository, login) in ("write", "admin")
        ]


def _is_own(context: str, app_id: str | None) -> bool:
    """Whether a status is Errand's own, which with a token has no number of an App."""
    return app_id is None and context.startswith("errand / ")
