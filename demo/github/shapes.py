"""The stand-in's answers in GitHub's shape: https://docs.github.com/rest"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

from demo import entities, payloads
from demo.github.accounts import Installation
from demo.github.state import Check, Comment, Pull, Reaction, Repository, Status

Json = dict[str, Any]
EVENTS = [
    "check_run",
    "check_suite",
    "issue_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "push",
    "repository",
]
"""What Errand's App listens to."""
_LINKS = (
    "followers",
    "following",
    "gists",
    "starred",
    "subscriptions",
    "organizations",
    "repos",
    "events",
    "received_events",
)


def iso(at: float) -> str:
    """A moment as GitHub writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def node(kind: str, number: int) -> str:
    """An opaque id as GitHub gives every object."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


class Shapes:
    """Knows the address that the answers' links lead to."""

    def __init__(self, url: str, app_id: int, app_slug: str, prefix: str = "") -> None:
        self.url = url
        self.prefix = prefix
        self.client_id = ""
        self._app_id = app_id
        self._app_slug = app_slug

    @property
    def api(self) -> str:
        """Where the REST API is."""
        return self.url + self.prefix

    def user(self, login: str) -> Json:
        """A person, an organization or an App's bot."""
        number = int.from_bytes(hashlib.sha256(login.lower().encode()).digest()[:4], "big")
        url = f"{self.url}/users/{login}"
        kind = "Bot" if login.endswith("[bot]") else "User"
        return {
            "login": login,
            "id": number,
            "node_id": node(kind, number),
            "avatar_url": f"{self.url}/avatars/{number}",
            "gravatar_id": "",
            "url": url,
            "html_url": f"{self.url}/{login}",
            **{f"{link}_url": f"{url}/{link}" for link in _LINKS},
            "type": kind,
            "user_view_type": "public",
            "site_admin": False,
        }

    def app(self, permissions: dict[str, str]) -> Json:
        """The App."""
        return {
            "id": self._app_id,
            "slug": self._app_slug,
            "client_id": self.client_id,
            "node_id": node("Integration", self._app_id),
            "owner": self.user("acme"),
            "name": self._app_slug.capitalize(),
            "description": None,
            "external_url": "https://errand.example.com",
            "html_url": f"{self.url}/apps/{self._app_slug}",
            "created_at": iso(0),
            "updated_at": iso(0),
            "permissions": permissions,
            "events": EVENTS,
        }

    def installation(self, installation: Installation) -> Json:
        """An installation of the App."""
        account = self.user(installation.account)
        return {
            "id": installation.id,
            "account": account,
            "repository_selection": "all" if installation.repositories is None else "selected",
            "access_tokens_url": f"{self.url}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.url}/installation/repositories",
            "html_url": f"{self.url}/settings/installations/{installation.id}",
            "app_id": self._app_id,
            "app_slug": self._app_slug,
            "target_id": account["id"],
            "target_type": "Organization",
            "permissions": installation.permissions,
            "events": EVENTS if installation.events is None else installation.events,
            "created_at": iso(0),
            "updated_at": iso(0),
            "single_file_name": None,
            "suspended_by": None,
            "suspended_at": None if installation.suspended_at is None else iso(installation.suspended_at),
        }

    def repository(self, repository: Repository) -> Json:
        """The parts of a repository that clients look at."""
        made = entities.repository(
            repository.name,
            private=repository.private,
            default_branch=repository.default_branch,
            number=repository.id,
        )
        return {
            **made,
            "archived": repository.archived,
            "node_id": node("Repository", repository.id),
            "url": f"{self.url}/repos/{repository.name}",
            "html_url": f"{self.url}/{repository.name}",
            "clone_url": f"{self.url}/{repository.name}.git",
            "network_count": 0,
            "subscribers_count": 0,
        }

    def pull(self, repository: Repository, pull: Pull) -> Json:
        """A pull request; the head's repository is null where the fork is gone."""
        made = payloads.pull(
            repository.name, pull.number, pull.head_sha, pull.head_ref, pull.state == "closed"
        )
        there = pull.head_repository
        owner = (there or "ghost/gone").partition("/")[0]
        head: Json | None = None
        if there is not None:
            head = {**self.repository(repository), "full_name": there, "id": pull.head_number}
        base = {**made["base"], "ref": pull.base_ref, "repo": self.repository(repository)}
        return {
            **made,
            "merged": pull.merged,
            "draft": pull.draft,
            "updated_at": iso(pull.updated_at),
            "id": repository.id * 10_000 + pull.number,
            "html_url": f"{self.url}/{repository.name}/pull/{pull.number}",
            "head": {
                **made["head"],
                "label": f"{owner}:{pull.head_ref}",
                "user": self.user(owner),
                "repo": head,
            },
            "base": {**base, "sha": repository.refs.get(pull.base_ref, "0" * 40)},
        }

    def commit(self, repository: Repository, sha: str) -> Json:
        """A commit, without its patches."""
        person = {"name": "Mona Lisa", "email": "octocat@github.com", "date": iso(0)}
        url = f"{self.url}/repos/{repository.name}/commits/{sha}"
        return {
            "sha": sha,
            "node_id": node("Commit", int(sha[:8], 16)),
            "url": url,
            "html_url": f"{self.url}/{repository.name}/commit/{sha}",
            "comments_url": f"{url}/comments",
            "commit": {
                "author": person,
                "committer": person,
                "message": "A change",
                "comment_count": 0,
                "url": f"{self.url}/repos/{repository.name}/git/commits/{sha}",
                "tree": {"sha": sha, "url": f"{self.url}/repos/{repository.name}/git/trees/{sha}"},
            },
            "author": self.user("octocat"),
            "committer": self.user("octocat"),
            "parents": [],
        }

    def comment_node(self, comment: Comment) -> str:
        """The id of a comment in the GraphQL API."""
        return node("IssueComment" if comment.thread is None else "PullRequestReviewComment", comment.id)

    def comment(self, comment: Comment) -> Json:
        """A comment on an issue or a pull request, or on a line of its code."""
        repository = f"{self.url}/repos/{comment.repository}"
        page = f"{self.url}/{comment.repository}/pull/{comment.issue}"
        made: Json = {
            "id": comment.id,
            "node_id": self.comment_node(comment),
            "url": f"{repository}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{repository}/issues/{comment.issue}",
            "body": comment.body,
            "user": self.user(comment.login),
            "created_at": iso(comment.created_at),
            "updated_at": iso(comment.updated_at),
            "author_association": "NONE" if comment.app else "MEMBER",
            "performed_via_github_app": self.app({}) if comment.app else None,
        }
        if comment.thread is None:
            return made
        del made["issue_url"], made["performed_via_github_app"]
        reply = {"in_reply_to_id": comment.thread} if comment.thread != comment.id else {}
        return {
            **made,
            **reply,
            "url": f"{repository}/pulls/comments/{comment.id}",
            "html_url": f"{page}#discussion_r{comment.id}",
            "pull_request_url": f"{repository}/pulls/{comment.issue}",
            "pull_request_review_id": comment.thread,
            "path": "README.md",
            "diff_hunk": "@@ -1 +1 @@",
            "commit_id": "0" * 40,
            "original_commit_id": "0" * 40,
        }

    def reaction(self, reaction: Reaction) -> Json:
        """A reaction to a comment."""
        return {
            "id": reaction.id,
            "node_id": node("Reaction", reaction.id),
            "user": self.user(reaction.login),
            "content": reaction.content,
            "created_at": iso(reaction.created_at),
        }

    def status(self, status: Status) -> Json:
        """A commit status."""
        creator = self.user(status.login)
        return {
            "id": status.id,
            "node_id": node("StatusContext", status.id),
            "url": f"{self.url}/repos/{status.repository}/statuses/{status.sha}",
            "avatar_url": creator["avatar_url"],
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": iso(status.created_at),
            "updated_at": iso(status.created_at),
            "creator": creator,
        }

    def check(self, check: Check) -> Json:
        """A check run."""
        url = f"{self.url}/repos/{check.repository}/check-runs/{check.id}"
        output: Json = {key: check.output.get(key) for key in ("title", "summary", "text")}
        output |= {"annotations_count": len(check.annotations), "annotations_url": f"{url}/annotations"}
        return {
            "id": check.id,
            "node_id": node("CheckRun", check.id),
            "head_sha": check.head_sha,
            "external_id": check.external_id,
            "url": url,
            "html_url": f"{self.url}/{check.repository}/runs/{check.id}",
            "details_url": check.details_url,
            "status": check.status,
            "conclusion": check.conclusion,
            "started_at": check.started_at,
            "completed_at": check.completed_at,
            "output": {
                **output,
                "annotations_count": len(check.annotations),
                "annotations_url": f"{url}/annotations",
            },
            "name": check.name,
            "check_suite": {"id": check.id},
            "app": self.app({}) | {"id": check.app},
            "pull_requests": [],
        }
