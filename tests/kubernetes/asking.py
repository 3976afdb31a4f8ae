"""What tests ask a server for, and how they wait for what it comes to."""

from typing import Any
from uuid import uuid4

from tests.kubernetes.cluster import Cluster

MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
STEPS = {"Content-Type": "application/json-patch+json"}


def name() -> str:
    return f"t-{uuid4().hex[:10]}"


def job(cluster: Cluster, script: str = "true", **more: Any) -> dict[str, Any]:
    """A Job with one container; `pod`, `container` and `template` go into those, the rest into its spec."""
    container = {"name": "job", "image": cluster.image, "command": ["sh", "-c", script]} | more.pop(
        "container", {}
    )
    spec = {"restartPolicy": "Never", "containers": [container], "enableServiceLinks": False}
    spec |= {"shareProcessNamespace": True, "automountServiceAccountToken": False} | more.pop("pod", {})
    template = {"metadata": more.pop("template", {}), "spec": spec}
    whole = {"backoffLimit": 0, "podReplacementPolicy": "Failed", "template": template} | more
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name()}, "spec": whole}


def make(cluster: Cluster, script: str = "true", **more: Any) -> str:
    made = cluster.ask("POST", "jobs", job(cluster, script, **more))
    assert made.status_code == 201, made.text
    return str(made.json()["metadata"]["name"])


def finished(cluster: Cluster, made: str) -> dict[str, Any]:
    """Wait for the end of a Job; gives its status."""
    ends = ("Complete", "Failed")
    said = cluster.wait_for(
        f"jobs/{made}", lambda item: any(c["type"] in ends for c in item["status"].get("conditions", []))
    )
    status: dict[str, Any] = said["status"]
    return status


def state(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = pod["status"].get("containerStatuses") or [{"state": {}}]
    found: dict[str, Any] = statuses[0]["state"]
    return found


def waiting(cluster: Cluster, made: str, reason: str) -> str:
    """Wait until a pod waits for `reason`; gives the words."""
    pod = cluster.pod_of(made)["metadata"]["name"]
    said = cluster.wait_for(
        f"pods/{pod}", lambda item: state(item).get("waiting", {}).get("reason") == reason
    )
    cluster.ask("DELETE", f"jobs/{made}?propagationPolicy=Background")
    words: str = state(said)["waiting"]["message"]
    return words


def events(cluster: Cluster, about: str, reason: str) -> list[dict[str, Any]]:
    """Wait for an event."""
    found: list[dict[str, Any]] = cluster.wait_for(
        f"events?fieldSelector=involvedObject.name%3D{about}%2Creason%3D{reason}", lambda said: said["items"]
    )["items"]
    return found


def running(cluster: Cluster, made: str, words: str = "ready") -> str:
    """Wait until the log of a Job's pod says `words`; gives the pod's name."""
    pod = str(cluster.pod_of(made)["metadata"]["name"])
    cluster.wait_for(f"pods/{pod}", lambda item: "running" in state(item))
    with cluster.client.stream(
        "GET", f"/api/v1/namespaces/{cluster.namespace}/pods/{pod}/log?follow=true"
    ) as log:
        for line in log.iter_lines():
            if words in line:
                return pod
    raise AssertionError(f"{words} never came")


def template(job_: dict[str, Any], **fields: Any) -> dict[str, Any]:
    job_["spec"]["template"]["spec"] |= fields
    return job_
