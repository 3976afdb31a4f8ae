"""What GitHub tells of deployments, releases, pull requests, workflows and merge queues; pure.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from typing import Any

from demo.entities import Json, installation, iso, organization, repository, user


def _about(name: str, private: bool = False, number: int | None = None, sender: str = "octocat") -> Json:
    return {
        "repository": repository(name, private=private, number=number),
        "organization": organization(name.partition("/")[0]),
        "sender": user(sender),
        "installation": installation(),
    }


def deployment(
    name: str,
    id: int,
    sha: str,
    environment: str,
    *,
    ref: str = "main",
    payload: object = None,
    sender: str = "octocat",
    private: bool = False,
    number: int | None = None,
    at: float = 0.0,
) -> Json:
    """A deployment was made; `number` is the repository's."""
    return {
        "action": "created",
        "deployment": _deployment(name, id, sha, environment, ref, payload, sender, at),
        "workflow": None,
        "workflow_run": None,
        **_about(name, private, number, sender),
    }


def deployment_status(made: Json, id: int, state: str) -> Json:
    """Somebody said how a deployment, of the payload `made`, stands."""
    about = made["deployment"]
    status = {
        "url": f"{about['url']}/statuses/{id}",
        "id": id,
        "node_id": f"DES_{id}",
        "state": state,
        "creator": about["creator"],
        "description": "",
        "environment": about["environment"],
        "target_url": "",
        "created_at": about["created_at"],
        "updated_at": about["updated_at"],
        "deployment_url": about["url"],
        "repository_url": about["repository_url"],
    }
    return {**made, "deployment_status": status, "check_run": None}


def _deployment(
    name: str, id: int, sha: str, environment: str, ref: str, payload: object, sender: str, at: float
) -> Json:
    here = f"https://api.github.com/repos/{name}"
    return {
        "url": f"{here}/deployments/{id}",
        "id": id,
        "node_id": f"DE_{id}",
        "sha": sha,
        "ref": ref,
        "task": "deploy",
        "payload": {} if payload is None else payload,
        "original_environment": environment,
        "environment": environment,
        "description": None,
        "creator": user(sender),
        "created_at": iso(at),
        "updated_at": iso(at),
        "statuses_url": f"{here}/deployments/{id}/statuses",
        "repository_url": here,
        "transient_environment": False,
        "production_environment": environment == "production",
    }


def protection_rule(made: Json, environment: str, run: int, api: str, *, name: str = "") -> Json:
    """A run of a workflow waits at an environment; `made` is the payload of its deployment."""
    name = name or made["repository"]["full_name"]
    deployment = made.get("deployment")
    return {
        "action": "requested",
        "environment": environment,
        "event": "push",
        "sha": deployment["sha"] if deployment else "a" * 40,
        "ref": "refs/heads/main",
        "deployment_callback_url": f"{api}/repos/{name}/actions/runs/{run}/deployment_protection_rule",
        "deployment": deployment,
        "pull_requests": [],
        **{key: made[key] for key in ("repository", "organization", "sender", "installation")},
    }


def release(name: str, id: int, tag: str, *, action: str = "published", **of: Any) -> Json:
    """A release was published, or became one or another kind."""
    here = f"https://api.github.com/repos/{name}/releases/{id}"
    about = {
        "url": here,
        "assets_url": f"{here}/assets",
        "html_url": f"https://github.com/{name}/releases/tag/{tag}",
        "id": id,
        "node_id": f"RE_{id}",
        "tag_name": tag,
        "target_commitish": "main",
        "name": None,
        "draft": False,
        "author": user("octocat"),
        "prerelease": action == "prereleased",
        "created_at": iso(0),
        "published_at": iso(0),
        "assets": [],
        "tarball_url": f"https://api.github.com/repos/{name}/tarball/{tag}",
        "zipball_url": f"https://api.github.com/repos/{name}/zipball/{tag}",
        "body": None,
    }
    return {"action": action, "release": about, **_about(name, **of)}


def workflow_run(
    name: str,
    id: int,
    sha: str,
    *,
    branch: str = "main",
    conclusion: str = "success",
    **of: Any,
) -> Json:
    """The workflow `CI`, of `ci.yml`, ended."""
    known = repository(name, private=of.get("private", False), number=of.get("number"))
    run = {
        "id": id,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "head_branch": branch,
        "head_sha": sha,
        "run_number": 1,
        "run_attempt": 1,
        "event": "push",
        "status": "completed",
        "conclusion": conclusion,
        "workflow_id": 1,
        "pull_requests": [],
        "head_repository": known,
        "repository": known,
    }
    workflow = {"id": 1, "name": "CI", "path": ".github/workflows/ci.yml", "state": "active"}
    return {"action": "completed", "workflow_run": run, "workflow": workflow, **_about(name, **of)}


def merge_group(name: str, sha: str, *, message: str = "Merge pull request #7", **of: Any) -> Json:
    """GitHub wants to know whether what its queue made may be merged."""
    group = {
        "head_sha": sha,
        "head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{sha}",
        "base_sha": "0" * 40,
        "base_ref": "refs/heads/main",
        "head_commit": {"id": sha, "tree_id": sha, "message": message, "timestamp": iso(0)},
    }
    return {"action": "checks_requested", "merge_group": group, **_about(name, **of)}


def repository_dispatch(name: str, kind: str, content: object, **of: Any) -> Json:
    """Somebody called `POST /repos/OWNER/NAME/dispatches`."""
    return {"action": kind, "branch": "main", "client_payload": content, **_about(name, **of)}
