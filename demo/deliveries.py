"""Deliveries as GitHub and Slack send them, properly signed; pure.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads and
https://docs.slack.dev/interactivity/implementing-slash-commands. Signatures:
https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries and
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

Json = dict[str, Any]
ZERO_SHA = "0" * 40
INSTALLATION = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request to send: headers and raw body."""

    headers: dict[str, str]
    body: bytes


def sign_github(secret: str, body: bytes) -> dict[str, str]:
    """The two signature headers of a GitHub delivery."""
    key = secret.encode()
    return {
        "X-Hub-Signature": "sha1=" + hmac.new(key, body, hashlib.sha1).hexdigest(),
        "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
    }


def sign_slack(secret: str, body: bytes, at: float) -> dict[str, str]:
    """The two signature headers of a request by Slack that was made at `at` (epoch seconds)."""
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    signature = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}


def github(secret: str, event: str, delivery: str, payload: Json, *, form: bool = False) -> Delivery:
    """A delivery of GitHub: `delivery` is its id (a GUID), `form` its other content type."""
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    body = urlencode({"payload": text}).encode() if form else text.encode()
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-GitHub-Hook-Installation-Target-ID": "4711",
        "X-GitHub-Hook-Installation-Target-Type": "integration",
        **sign_github(secret, body),
    }
    return Delivery(headers, body)


def slack(secret: str, fields: dict[str, str], at: float) -> Delivery:
    """A slash command (or any other form) of Slack."""
    body = urlencode(fields).encode()
    headers = {
        "Accept": "application/json,*/*",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        **sign_slack(secret, body, at),
    }
    return Delivery(headers, body)


def user(login: str) -> Json:
    """Somebody."""
    number = _number(login)
    return {
        "login": login,
        "id": number,
        "node_id": f"U_{number}",
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": f"https://api.github.com/users/{login}",
        "html_url": f"https://github.com/{login}",
        "type": "Bot" if login.endswith("[bot]") else "User",
        "site_admin": False,
    }


def repository(name: str, *, private: bool = False, default_branch: str = "main") -> Json:
    """A repository as payloads carry it."""
    owner, _, short = name.partition("/")
    number = _number(name)
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
        "fork": False,
        "archived": False,
        "url": f"https://api.github.com/repos/{name}",
        "clone_url": f"https://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "default_branch": default_branch,
    }


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
) -> Json:
    """A push to a branch; a `commit` of zeros deletes it."""
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
            **repository(name, private=private, default_branch=default_branch),
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
) -> Json:
    """A comment on a pull request (or, with `on_pull` False, on an issue)."""
    api = f"https://api.github.com/repos/{name}/issues"
    page = f"https://github.com/{name}/{'pull' if on_pull else 'issues'}/{issue}"
    about: Json = {
        "url": f"{api}/{issue}",
        "html_url": page,
        "id": _number(f"{name}#{issue}"),
        "number": issue,
        "title": f"Change {issue}",
        "user": user("octocat"),
        "labels": [],
        "state": "open",
        "locked": False,
        "assignees": [],
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
            "performed_via_github_app": None,
        },
        "repository": repository(name, private=private),
        "organization": {"login": name.partition("/")[0], "id": _number(name.partition("/")[0])},
        "sender": user(author),
        "installation": installation(),
    }
    if action == "edited":
        payload["changes"] = {"body": {"from": "Something else."}}
    return payload


def pull_request(
    name: str, number: int, head_sha: str, head_ref: str, *, action: str = "opened", private: bool = False
) -> Json:
    """A pull request from a branch of the same repository."""
    here = repository(name, private=private)
    owner = name.partition("/")[0]
    return {
        "action": action,
        "number": number,
        "pull_request": {
            "url": f"https://api.github.com/repos/{name}/pulls/{number}",
            "id": _number(f"{name}#{number}"),
            "html_url": f"https://github.com/{name}/pull/{number}",
            "number": number,
            "state": "closed" if action == "closed" else "open",
            "locked": False,
            "title": f"Change {number}",
            "user": user("octocat"),
            "body": None,
            "draft": False,
            "merged": False,
            "head": {
                "label": f"{owner}:{head_ref}",
                "ref": head_ref,
                "sha": head_sha,
                "user": user(owner),
                "repo": here,
            },
            "base": {
                "label": f"{owner}:main",
                "ref": "main",
                "sha": ZERO_SHA,
                "user": user(owner),
                "repo": here,
            },
            "author_association": "MEMBER",
        },
        "repository": here,
        "sender": user("octocat"),
        "installation": installation(),
    }


def slash_command(
    text: str,
    *,
    trigger: str,
    channel: str,
    person: str,
    response_url: str,
    command: str = "/job",
) -> dict[str, str]:
    """The form fields of a slash command."""
    return {
        "token": "unused-verification-token",
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": channel,
        "channel_name": "ops",
        "user_id": person,
        "user_name": "octocat",
        "command": command,
        "text": text,
        "api_app_id": "A0ERRAND",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def installation() -> Json:
    """The App's installation, as payloads carry it."""
    return {"id": INSTALLATION, "node_id": "MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9uMQ=="}


def iso(at: float) -> str:
    """A moment as GitHub writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(name: str) -> int:
    """The same id for the same name."""
    return int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:4], "big")
