"""What GitHub tells of deployments, releases, pull requests, workflows and merge queues; pure.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from demo.entities import Json, installation, iso, organization, repository, user


def _about(name: str, private: bool, number: int | None, sender: str) -> Json:
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
