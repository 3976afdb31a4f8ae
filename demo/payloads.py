"""What GitHub tells in its deliveries; pure.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from demo.entities import Json, installation, iso, number_of, organization, reactions, repository, user

ZERO_SHA = "0" * 40


def ping(name: str, *, secret_set: bool = True) -> Json:
    """GitHub says hello to a new webhook."""
    config = {
        "content_type": "json",
        "insecure_ssl": "0",
        "url": "https://errand.example.com/webhooks/github",
    }
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": 292430182,
        "hook": {
            "type": "Repository",
            "id": 292430182,
            "name": "web",
            "active": True,
            "events": ["issue_comment", "push"],
            "config": {**config, **({"secret": "********"} if secret_set else {})},
            "updated_at": iso(0),
            "created_at": iso(0),
        },
        "repository": repository(name),
        "sender": user("octocat"),
    }


def push(
    name: str,
    commit: str,
    *,
    branch: str = "main",
    before: str = ZERO_SHA,
    sender: str = "octocat",
    paths: Sequence[str] = ("README.md",),
    private: bool = False,
    default_branch: str = "main",
    message: str = "A change",
    at: float = 0.0,
    number: int | None = None,
) -> Json:
    """A push to a branch; a `commit` of zeros deletes it. `number` is the repository's."""
    deleted = commit == ZERO_SHA
    person = {"name": sender, "email": f"{sender}@users.noreply.github.com", "username": sender}
    change: Json = {
        "id": commit,
        "tree_id": hashlib.sha1(commit.encode()).hexdigest(),
        "distinct": True,
        "message": message,
        "timestamp": datetime.fromtimestamp(at, UTC).isoformat(),
        "url": f"https://github.com/{name}/commit/{commit}",
        "author": person,
        "committer": person,
        "added": [],
        "removed": [],
        "modified": list(paths),
    }
    return {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": commit,
        "repository": {
            **repository(name, private=private, default_branch=default_branch, number=number),
            "master_branch": default_branch,
            "pushed_at": int(at),
        },
        "pusher": {"name": sender, "email": person["email"]},
        "sender": user(sender),
        "installation": installation(),
        "created": before == ZERO_SHA,
        "deleted": deleted,
        "forced": False,
        "base_ref": None,
        "compare": f"https://github.com/{name}/compare/{before[:12]}...{commit[:12]}",
        "commits": [] if deleted else [change],
        "head_commit": None if deleted else change,
    }


def issue_comment(
    name: str,
    issue: int,
    comment: int,
    author: str,
    body: str,
    *,
    action: str = "created",
    on_pull: bool = True,
    private: bool = False,
    association: str = "MEMBER",
    at: float = 0.0,
    number: int | None = None,
) -> Json:
    """A comment on a pull request (or, with `on_pull` False, on an issue); `number` is the repository's."""
    api = f"https://api.github.com/repos/{name}/issues"
    page = f"https://github.com/{name}/{'pull' if on_pull else 'issues'}/{issue}"
    about: Json = {
        "url": f"{api}/{issue}",
        **{f"{what}_url": f"{api}/{issue}/{what}" for what in ("comments", "events", "labels")},
        "repository_url": f"https://api.github.com/repos/{name}",
        "html_url": page,
        "id": number_of(f"{name}#{issue}"),
        "node_id": f"I_{number_of(f'{name}#{issue}')}",
        "number": issue,
        "title": f"Change {issue}",
        "user": user("octocat"),
        "labels": [],
        "state": "open",
        "locked": False,
        "active_lock_reason": None,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "reactions": reactions(f"{api}/{issue}/reactions"),
        "comments": 1,
        "created_at": iso(at),
        "updated_at": iso(at),
        "closed_at": None,
        "author_association": "MEMBER",
        "body": "What it does and why.",
    }
    if on_pull:
        about["pull_request"] = {
            "url": f"https://api.github.com/repos/{name}/pulls/{issue}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": None,
        }
    payload: Json = {
        "action": action,
        "issue": about,
        "comment": {
            "url": f"{api}/comments/{comment}",
            "html_url": f"{page}#issuecomment-{comment}",
            "issue_url": f"{api}/{issue}",
            "id": comment,
            "node_id": f"IC_{comment}",
            "user": user(author),
            "created_at": iso(at),
            "updated_at": iso(at),
            "author_association": association,
            "body": body,
            "reactions": reactions(f"{api}/comments/{comment}/reactions"),
            "performed_via_github_app": None,
        },
        "repository": repository(name, private=private, number=number),
        "organization": organization(name.partition("/")[0]),
        "sender": user(author),
        "installation": installation(),
    }
    if action == "edited":
        payload["changes"] = {"body": {"from": "Something else."}}
    return payload


def moved(name: str, former: str, *, number: int | None = None, private: bool = False) -> Json:
    """The repository `former` was renamed, or (where its owner is another one) transferred, to `name`."""
    owner, (account, _, old) = name.partition("/")[0], former.partition("/")
    renamed: Json = {"repository": {"name": {"from": old}}}
    transferred: Json = {"owner": {"from": {"organization": organization(account)}}}
    return {
        "action": "renamed" if owner.lower() == account.lower() else "transferred",
        "changes": renamed if owner.lower() == account.lower() else transferred,
        "repository": repository(name, private=private, number=number or number_of(former)),
        "organization": organization(owner),
        "sender": user("octocat"),
        "installation": installation(),
    }


def repository_changed(name: str, action: str, number: int) -> Json:
    """Something happened to a repository: `archived`, `unarchived`, `deleted` or `edited`."""
    return {
        "action": action,
        **({"changes": {"default_branch": {"from": "main"}}} if action == "edited" else {}),
        "repository": repository(name, number=number),
        "organization": organization(name.partition("/")[0]),
        "sender": user("octocat"),
        "installation": installation(),
    }


def pull_request(
    name: str, number: int, head_sha: str, head_ref: str, *, action: str = "opened", private: bool = False
) -> Json:
    """A pull request from a branch of the same repository."""
    payload: Json = {
        "action": action,
        "number": number,
        "pull_request": pull(name, number, head_sha, head_ref, action == "closed", private),
        "repository": repository(name, private=private),
        "organization": organization(name.partition("/")[0]),
        "sender": user("octocat"),
        "installation": installation(),
    }
    if action == "synchronize":
        payload |= {"before": ZERO_SHA, "after": head_sha}
    return payload


def pull(name: str, number: int, head_sha: str, head_ref: str, closed: bool, private: bool = False) -> Json:
    """A pull request as payloads and answers carry it."""
    api = f"https://api.github.com/repos/{name}"
    here, page = f"{api}/pulls/{number}", f"https://github.com/{name}/pull/{number}"
    links = {
        "self": here,
        "html": page,
        "issue": f"{api}/issues/{number}",
        "comments": f"{api}/issues/{number}/comments",
        "review_comments": f"{here}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{here}/commits",
        "statuses": f"{api}/statuses/{head_sha}",
    }
    counts = ("comments", "review_comments", "commits", "additions", "deletions", "changed_files")
    moments = {"created_at": iso(0), "updated_at": iso(0), "closed_at": iso(0) if closed else None}
    return {
        "url": here,
        "id": number_of(f"{name}#{number}"),
        "node_id": f"PR_{number_of(f'{name}#{number}')}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        **{f"{what}_url": url for what, url in links.items() if what not in ("self", "html")},
        "_links": {what: {"href": url} for what, url in links.items()},
        "number": number,
        "state": "closed" if closed else "open",
        "locked": False,
        "active_lock_reason": None,
        "title": f"Change {number}",
        "user": user("octocat"),
        "body": None,
        **moments,
        "merged_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
        "auto_merge": None,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [],
        "milestone": None,
        "draft": False,
        "merged": False,
        "mergeable": None,
        "rebaseable": None,
        "mergeable_state": "unknown",
        "maintainer_can_modify": False,
        **dict.fromkeys(counts, 1),
        "head": _end(name, head_ref, head_sha, private),
        "base": _end(name, "main", ZERO_SHA, private),
        "author_association": "MEMBER",
    }


def _end(name: str, ref: str, sha: str, private: bool) -> Json:
    """The head or the base of a pull request."""
    owner = name.partition("/")[0]
    more: Json = {
        "allow_auto_merge": False,
        "allow_merge_commit": True,
        "allow_rebase_merge": True,
        "allow_squash_merge": True,
        "allow_update_branch": False,
        "delete_branch_on_merge": False,
        "merge_commit_message": "PR_TITLE",
        "merge_commit_title": "MERGE_MESSAGE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "use_squash_pr_title_as_default": False,
    }
    repo = {**repository(name, private=private), **more}
    return {"label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": user(owner), "repo": repo}
