"""The people, repositories and accounts that GitHub's deliveries speak of; pure.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

import hashlib
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
INSTALLATION = 1

_OF_USER = {
    "followers": "followers",
    "following": "following{/other_user}",
    "gists": "gists{/gist_id}",
    "starred": "starred{/owner}{/repo}",
    "subscriptions": "subscriptions",
    "organizations": "orgs",
    "repos": "repos",
    "events": "events{/privacy}",
    "received_events": "received_events",
}
_OF_ORGANIZATION = {
    "repos": "repos",
    "events": "events",
    "hooks": "hooks",
    "issues": "issues",
    "members": "members{/member}",
    "public_members": "public_members{/member}",
}
_OF_REPOSITORY = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "contributors": "contributors",
    "deployments": "deployments",
    "downloads": "downloads",
    "events": "events",
    "forks": "forks",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "hooks": "hooks",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "languages": "languages",
    "merges": "merges",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "stargazers": "stargazers",
    "statuses": "statuses/{sha}",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "tags": "tags",
    "teams": "teams",
    "trees": "git/trees{/sha}",
}
_REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def user(login: str) -> Json:
    """Somebody."""
    number = number_of(login)
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": f"https://api.github.com/users/{login}",
        "html_url": f"https://github.com/{login}",
        **{f"{name}_url": f"https://api.github.com/users/{login}/{path}" for name, path in _OF_USER.items()},
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def repository(
    name: str, *, private: bool = False, default_branch: str = "main", number: int | None = None
) -> Json:
    """A repository as payloads carry it; `number` is its own where it was renamed, or took a name over."""
    owner, _, short = name.partition("/")
    number = number_of(name) if number is None else number
    api = f"https://api.github.com/repos/{name}"
    counts = ("forks", "stargazers", "watchers", "open_issues")
    return {
        "id": number,
        "node_id": f"R_{number}",
        "name": short,
        "full_name": name,
        "private": private,
        "visibility": "private" if private else "public",
        "owner": {**user(owner), "type": "Organization"},
        "html_url": f"https://github.com/{name}",
        "description": None,
        "homepage": None,
        "language": "Python",
        "license": None,
        "topics": [],
        "fork": False,
        "archived": False,
        "disabled": False,
        "is_template": False,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        **{f"has_{name}": True for name in ("issues", "projects", "downloads", "wiki", "discussions")},
        "has_pages": False,
        "size": 108,
        **{f"{name}_count": 0 for name in counts},
        "forks": 0,
        "watchers": 0,
        "open_issues": 0,
        "created_at": iso(0),
        "updated_at": iso(0),
        "pushed_at": iso(0),
        "url": api,
        **{f"{name}_url": f"{api}/{path}" for name, path in _OF_REPOSITORY.items()},
        "clone_url": f"https://github.com/{name}.git",
        "git_url": f"git://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "svn_url": f"https://github.com/{name}",
        "mirror_url": None,
        "default_branch": default_branch,
    }


def organization(login: str) -> Json:
    """The account that a repository belongs to."""
    api = f"https://api.github.com/orgs/{login}"
    return {
        "login": login,
        "id": number_of(login),
        "node_id": f"O_{number_of(login)}",
        "url": api,
        **{f"{name}_url": f"{api}/{path}" for name, path in _OF_ORGANIZATION.items()},
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number_of(login)}?v=4",
        "description": "",
    }


def reactions(url: str) -> Json:
    """How often each reaction was given: never yet."""
    return {"url": url, "total_count": 0, **dict.fromkeys(_REACTIONS, 0)}


def installation() -> Json:
    """The App's installation, as payloads carry it."""
    return {"id": INSTALLATION, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="}


def iso(at: float) -> str:
    """A moment as GitHub writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number_of(name: str) -> int:
    """The same id for the same name."""
    return int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:4], "big")
