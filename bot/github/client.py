"""What Errand asks of GitHub and tells it, one method each."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from bot.errors import Refused, Unfit
from bot.github import answers, graphql
from bot.github.answers import (
    KnownRepository,
    PostedComment,
    PullRequest,
    Repository,
    field,
    moment,
    needed,
    number,
    repository_path,
    text,
)
from bot.github.commits import Commits, NamedCommit
from bot.github.credentials import App, Credential
from bot.github.files import Files
from bot.github.organizations import Organizations
from bot.github.pull_facts import PullFactsReader
from bot.github.recorded import RecordedDeliveries
from bot.github.transport import GRAPHQL, Answer, Call, Transport
from bot.github.verified_emails import VerifiedEmails
from bot.messages import CheckFields, StatusFields
from executor.spec import Secret

PAGE = 100  # GitHub's most
PAGES = 20  # how far back a comment or a check is looked for
SINCE_SLACK = 300.0  # seconds by which GitHub's clock and ours may differ
_ACTIONS = "github-actions[bot]"  # who a workflow's own token is; it cannot ask

Lookup = Callable[[str], Awaitable[KnownRepository | None]]
"""Gives what is known of the repository of a name, None for one that was never seen."""

_log = structlog.get_logger(__name__)


class GitHub:
    """One door to one GitHub, as a GitHub App, with a token, or (to read what is public) as nobody.

    Methods raise `RetryLater` where trying again may help and `Refused` where it will not; no write is
    ever sent twice. A repository is `owner/name`, which is asked for by the number that `known` has of it, or
    `#number`.
    """

    def __init__(
        self,
        *,
        api_url: str,
        app_id: str | None = None,
        private_key: Secret | None = None,
        token: Secret | None = None,
        clone_url: str,
        clock: Callable[[], float],
        known: Lookup | None = None,
    ) -> None:
        self._known = known
        self._transport = Transport(api_url, clock)
        self._clone_url = clone_url
        self._token = token
        self._app: App | None = None
        self._login: str | None = None
        self._commits = Commits(self._send, clock)
        self.files = Files(self._send)
        self.facts = PullFactsReader(self._send, self.permission, str(app_id) if app_id is not None else None)
        if app_id is not None and private_key is not None:
            self._app = App(str(app_id), private_key, self._transport, clock)
        self.organizations = Organizations(self._app, token, self._transport)
        self.emails = VerifiedEmails(self.organizations.ask, clock)

    @property
    def is_app(self) -> bool:
        """Whether results are told as check runs (only an App can) or as commit statuses."""
        return self._app is not None

    @property
    def recorded(self) -> RecordedDeliveries | None:
        """What GitHub has sent to the App; None without an App."""
        return None if self._app is None else RecordedDeliveries(self._app, self._transport)

    async def close(self) -> None:
        """Close all connections."""
        await self.emails.close()
        if self._app is not None:
            await self._app.close()
        await self._transport.close()

    async def permission(self, repository: str, login: str) -> str:
        """What `login` may do: `none` (also where GitHub does not know them), `read`, `write` or `admin`."""
        segment = answers.login_segment(login)
        if segment is None:
            return "none"
        path = f"{repository_path(repository)}/collaborators/{segment}/permission"
        try:
            answer = await self._send(repository, Call("GET", path))
        except Refused as refused:
            if refused.status == 404:
                return "none"
            raise
        return answers.level(answer.data)

    async def repository(self, name: str) -> Repository:
        """The repository's default branch and whether it is private (also where GitHub does not say)."""
        data = (await self._send(name, Call("GET", repository_path(name)))).data
        branch = needed(text(data, "default_branch"), "the default branch")
        return Repository(
            name=text(data, "full_name") or name,
            default_branch=branch,
            private=field(data, "private") is not False,
            number=number(data, "id"),
            owner_number=number(data, "owner", "id"),
            archived=field(data, "archived") is True,
        )

    async def pull(self, repository: str, pull: int) -> PullRequest:
        """Where the pull request comes from and goes to."""
        data = (
            await self._send(repository, Call("GET", f"{repository_path(repository)}/pulls/{int(pull)}"))
        ).data
        return PullRequest(
            number=int(pull),
            state=text(data, "state") or "closed",
            head_sha=needed(text(data, "head", "sha"), "the head commit"),
            head_ref=needed(text(data, "head", "ref"), "the head branch"),
            head_repository=text(data, "head", "repo", "full_name"),
            base_ref=needed(text(data, "base", "ref"), "the base branch"),
            merged=field(data, "merged") is True,
            head_number=number(data, "head", "repo", "id"),
            base_number=number(data, "base", "repo", "id"),
            base_repository=text(data, "base", "repo", "full_name"),
            author=text(data, "user", "login"),
            draft=field(data, "draft") is not False,
            updated_at=moment(text(data, "updated_at")),
            private=private if isinstance(private := field(data, "base", "repo", "private"), bool) else None,
        )

    async def branch(self, repository: str, name: str) -> NamedCommit:
        """The commit of the branch of just that name; `Unfit` where there is none."""
        return await self._commits.branch(repository, name)

    async def branch_if_any(self, repository: str, name: str) -> NamedCommit | None:
        """The same, or None."""
        try:
            return await self._commits.branch(repository, name)
        except Unfit:
            return None

    async def is_on(self, repository: str, sha: str, branch: str) -> bool:
        """Whether the commit is the tip of the branch, or one before it."""
        return await self._commits.is_on(repository, sha, f"heads/{branch}")

    async def commit(self, repository: str, ref: str) -> NamedCommit:
        """The commit of a branch, a tag or a SHA (short too); `Unfit` where there is none."""
        return await self._commits.named(repository, ref)

    async def owns(self, repository: str, sha: str, default_branch: str) -> bool:
        """Whether a commit is on a branch or a tag of the repository; a fork's is not."""
        known = await self._look_up(repository)
        return await self._commits.owns(known.reference, sha, default_branch)

    async def clone(self, repository: str) -> tuple[str, Secret | None]:
        """The URL to fetch from and the token to do it with, which an App has made for just that."""
        repository_path(repository)
        known = await self._look_up(repository)
        url = self._clone_url.replace("{repository}", known.name)
        if self._app is None:
            return url, self._token
        return url, (await self._app.for_clone(known.reference, known.account)).token

    async def react(self, repository: str, comment: int, content: str, *, on_line: bool = False) -> None:
        """React to a comment, of the conversation or `on_line` of the code; the same twice is one."""
        path = f"{repository_path(repository)}/{_comments(on_line)}/{int(comment)}/reactions"
        await self._send(repository, Call("POST", path, body={"content": content}))

    async def comment(
        self, repository: str, issue: int, body: str, *, thread: int | None = None
    ) -> PostedComment:
        """Comment on an issue or a pull request, or below the comment `thread` on a line of its code."""
        path = f"{repository_path(repository)}/issues/{int(issue)}/comments"
        if thread is not None:
            path = f"{repository_path(repository)}/pulls/{int(issue)}/comments/{int(thread)}/replies"
        answer = await self._send(repository, Call("POST", path, body={"body": body}))
        return answers.posted(answer.data)

    async def update_comment(
        self, repository: str, comment: int, body: str, *, on_line: bool = False
    ) -> PostedComment:
        """Replace the text of a comment."""
        path = f"{repository_path(repository)}/{_comments(on_line)}/{int(comment)}"
        answer = await self._send(repository, Call("PATCH", path, body={"body": body}))
        return answers.posted(answer.data)

    async def minimize(self, repository: str, node: str) -> None:
        """Fold a comment away as outdated, by its id of the GraphQL API; once more changes nothing."""
        graphql.require_done(await self._send(repository, graphql.minimizing(node)))

    async def find_comment(
        self,
        repository: str,
        issue: int,
        marker: str,
        *,
        since: float | None = None,
        on_line: bool = False,
    ) -> PostedComment | None:
        """The newest comment of ours that contains `marker`, if any; `since` (epoch seconds) saves pages.

        A quote of our comment by somebody else carries the marker too, hence the look at its author.
        """
        of = "pulls" if on_line else "issues"
        path = f"{repository_path(repository)}/{of}/{int(issue)}/comments"
        ours = await self._own_login()
        query: dict[str, str | int | None] = {"per_page": PAGE, "since": _iso(since), "page": 1}
        first = await self._send(repository, Call("GET", path, query))
        last = answers.last_page(first.headers.get("link"))
        for page in range(last, max(last - PAGES, 0), -1):
            answer = (
                first
                if page == 1
                else await self._send(repository, Call("GET", path, {**query, "page": page}))
            )
            found = _newest(answer, marker, ours)
            if found is not None:
                return found
        return None

    async def create_check(self, repository: str, commit: str, fields: CheckFields) -> int:
        """Start a check run on a commit; gives its id."""
        body = {**fields.body(), "head_sha": commit}
        answer = await self._send(
            repository, Call("POST", f"{repository_path(repository)}/check-runs", body=body)
        )
        return needed(number(answer.data, "id"), "the check run's id")

    async def update_check(self, repository: str, check: int, fields: CheckFields) -> None:
        """Bring a check run up to date."""
        path = f"{repository_path(repository)}/check-runs/{int(check)}"
        await self._send(repository, Call("PATCH", path, body=fields.body()))

    async def annotations(self, repository: str, check: int) -> int:
        """How many annotations a check run has."""
        path = f"{repository_path(repository)}/check-runs/{int(check)}"
        answer = await self._send(repository, Call("GET", path))
        return number(answer.data, "output", "annotations_count") or 0

    async def find_check(self, repository: str, commit: str, external_id: str) -> int | None:
        """The check run of this App on `commit` with `external_id`, if any."""
        path = f"{repository_path(repository)}/commits/{answers.ref_segment(commit)}/check-runs"
        app = self._app.app_id if self._app is not None else ""
        query: dict[str, str | int | None] = {
            "filter": "all",
            "per_page": PAGE,
            "app_id": app if app.isdecimal() else None,
        }
        for page in range(1, PAGES + 1):
            answer = await self._send(repository, Call("GET", path, {**query, "page": page}))
            runs = field(answer.data, "check_runs")
            for run in runs if isinstance(runs, list) else []:
                if text(run, "external_id") == external_id:
                    return number(run, "id")
            if page >= answers.last_page(answer.headers.get("link")):
                break
        return None

    async def set_status(self, repository: str, commit: str, fields: StatusFields) -> None:
        """Say how a commit stands in one context; the newest counts."""
        path = f"{repository_path(repository)}/statuses/{answers.ref_segment(commit)}"
        await self._send(repository, Call("POST", path, body=fields.body()))

    async def set_deployment_status(
        self, repository: str, deployment: int, fields: Mapping[str, object]
    ) -> None:
        """Say how a deployment stands; the newest status counts."""
        path = f"{repository_path(repository)}/deployments/{int(deployment)}/statuses"
        await self._send(repository, Call("POST", path, body=fields))

    async def review_deployment(self, repository: str, run: int, fields: Mapping[str, object]) -> None:
        """Answer a protection rule of Errand's, for which a run of a workflow waits."""
        path = f"{repository_path(repository)}/actions/runs/{int(run)}/deployment_protection_rule"
        await self._send(repository, Call("POST", path, body=fields))

    async def commit_message(self, repository: str, sha: str) -> str:
        """What the message of a commit says, nothing where there is no such commit."""
        path = f"{repository_path(repository)}/git/commits/{answers.ref_segment(sha)}"
        try:
            return (
                text((await self._send(repository, Call("GET", path, may_lack=True))).data, "message") or ""
            )
        except Refused as refused:
            if refused.status in (404, 409, 422):
                return ""
            raise

    async def _send(self, repository: str, call: Call) -> Answer:
        """Send as who may act on `repository`; once more with a new token where GitHub took the old one back.

        A 401 means that nothing was done, so this repeats no write.
        """
        known = await self._look_up(repository)
        if call.path != GRAPHQL:  # which knows things by ids alone
            path = call.path.removeprefix(repository_path(repository))
            call = replace(call, path=repository_path(known.reference) + path)
        for attempt in (1, 2):
            credential = await self._credential(known)
            try:
                return await self._transport.send(call, credential.token, credential.who)
            except Refused as refused:
                if self._app is None or refused.status not in (401, 404):
                    raise
                if refused.status == 404 and call.may_lack:
                    raise
                old = credential.token if refused.status == 401 else None
                self._app.forget(known.reference, known.account, token=old)
                if refused.status == 404 or attempt == 2:
                    raise
        raise AssertionError("unreachable")

    async def _look_up(self, repository: str) -> KnownRepository:
        """By what it is asked for, so that nobody who has its name now answers for it."""
        if self._known is None or repository.startswith("#"):
            return KnownRepository(None, repository)
        return await self._known(repository) or KnownRepository(None, repository)

    async def _credential(self, known: KnownRepository) -> Credential:
        if self._app is not None:
            return await self._app.for_repository(known.reference, known.account)
        return Credential("the token" if self._token else "nobody", self._token)

    async def _own_login(self) -> str:
        """The login that our comments carry."""
        if self._login is None:
            if self._app is not None:
                credential = await self._app.itself()
                data = (await self._transport.send(Call("GET", "app"), credential.token, credential.who)).data
                self._login = needed(text(data, "slug"), "the app's slug") + "[bot]"
            else:
                self._login = await self._token_login()
        return self._login

    async def _token_login(self) -> str:
        try:
            answer = await self._transport.send(Call("GET", "user"), self._token, "the token")
        except Refused as refused:
            if refused.status != 403:
                raise
            _log.info("github.login_unknown", assumed=_ACTIONS)
            return _ACTIONS
        return needed(text(answer.data, "login"), "the login")


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(max(at - SINCE_SLACK, 0.0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _comments(on_line: bool) -> str:
    return "pulls/comments" if on_line else "issues/comments"


def _newest(answer: Answer, marker: str, ours: str) -> PostedComment | None:
    comments = answer.data if isinstance(answer.data, list) else []
    for comment in reversed(comments):
        if not isinstance(comment, Mapping) or marker not in (text(comment, "body") or ""):
            continue
        if (text(comment, "user", "login") or "").lower() == ours.lower():
            return answers.posted(comment)
    return None
