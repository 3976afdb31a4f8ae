"""Puts pods on the one node there is, where they fit. https://kubernetes.io/docs/concepts/scheduling-eviction/"""

import asyncio

from tests.kubernetes import kinds
from tests.kubernetes.objects import Objects
from tests.kubernetes.podrules import amount
from tests.kubernetes.problems import Object
from tests.kubernetes.store import Change, stamp
from tests.kubernetes.telling import NODE, Events

LABELS = {
    "kubernetes.io/hostname": NODE,
    "kubernetes.io/os": "linux",
    "kubernetes.io/arch": "amd64",
}
_HAS = {"cpu": 10_000.0, "memory": 2.0**50, "ephemeral-storage": 2.0**50}
_COLLECTED_AFTER = 1.0
"""Seconds until a deleted pod that was never bound is called failed; a real collector comes by every 20."""
_REST = " no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."


class Scheduler:
    """Binds pods as they come."""

    def __init__(self, objects: Objects, events: Events) -> None:
        self._objects = objects
        self._events = events
        objects.store.listen(self._hear)

    def _hear(self, change: Change) -> None:
        if change.kind == kinds.POD and change.type == "ADDED":
            asyncio.get_running_loop().call_soon(self._bind, change.item)
        elif change.kind == kinds.POD and change.type == "MODIFIED" and _is_abandoned(change.item):
            asyncio.get_running_loop().call_later(_COLLECTED_AFTER, self._collect, change.item)

    def _collect(self, pod: Object) -> None:
        """Call a pod failed that was deleted before it was bound."""
        metadata = pod["metadata"]
        now = self._objects.store.find(kinds.POD, metadata["namespace"], metadata["name"])
        if now is not None and _is_abandoned(now):
            status = {**now["status"], "phase": "Failed", "observedGeneration": metadata["generation"]}
            self._objects.set_status(kinds.POD, now, status)

    def _bind(self, pod: Object) -> None:
        metadata = pod["metadata"]
        now = self._objects.store.find(kinds.POD, metadata["namespace"], metadata["name"])
        if now is None or now["metadata"].get("deletionTimestamp") or now["spec"].get("nodeName"):
            return
        condition = {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(),
        }
        if obstacle := _obstacle(now):
            words = f"0/1 nodes are available: {obstacle}.{_REST}"
            condition |= {"status": "False", "observedGeneration": metadata.get("generation", 1)}
            condition |= {"reason": "Unschedulable", "message": words}
            pod = self._objects.set_status(kinds.POD, now, {**now["status"], "conditions": [condition]})
            self._events.tell("default-scheduler", pod, "FailedScheduling", words, warns=True)
            return
        pod = {**now, "spec": {**now["spec"], "nodeName": NODE}}
        pod["status"] = {**now["status"], "conditions": [condition]}
        pod = self._objects.store.replace(kinds.POD, pod)
        place = f"{metadata['namespace']}/{metadata['name']}"
        self._events.tell("default-scheduler", pod, "Scheduled", f"Successfully assigned {place} to {NODE}")


def _is_abandoned(pod: Object) -> bool:
    ours = pod["metadata"].get("deletionTimestamp") and not pod["spec"].get("nodeName")
    return bool(ours and pod["status"].get("phase") == "Pending")


def _obstacle(pod: Object) -> str:
    """Say why a pod does not fit on the node."""
    wanted: dict[str, str] = pod["spec"].get("nodeSelector") or {}
    if any(LABELS.get(name) != value for name, value in wanted.items()):
        return "1 node(s) didn't match Pod's node affinity/selector"
    for container in pod["spec"]["containers"]:
        for name, value in (container["resources"].get("requests") or {}).items():
            if amount(value) > _HAS.get(name, 0.0):
                return f"1 Insufficient {name}"
    return ""
