"""The Job controller. https://kubernetes.io/docs/concepts/workloads/controllers/job/"""

import asyncio
import time
from copy import deepcopy
from datetime import datetime

from tests.kubernetes import kinds
from tests.kubernetes.objects import Objects
from tests.kubernetes.problems import Object, Problem
from tests.kubernetes.store import Change, stamp
from tests.kubernetes.telling import Events

TRACKING = "batch.kubernetes.io/job-tracking"
_BACKOFF = 10.0
"""Seconds before a failed pod gets a successor, doubled with every failure."""
_WORDS = {
    "BackoffLimitExceeded": "Job has reached the specified backoff limit",
    "DeadlineExceeded": "Job was active longer than specified deadline",
    "CompletionsReached": "Reached expected number of succeeded pods",
    "JobSuspended": "Job suspended",
}
_REFUSED = 1.0
"""Seconds after which the creation of a pod is tried again."""


class Jobs:
    """Makes the pods of Jobs and counts how they end."""

    def __init__(self, objects: Objects, events: Events) -> None:
        self._objects = objects
        self._events = events
        self._due: set[tuple[str, str]] = set()
        self._pods: dict[str, dict[str, tuple[str, str]]] = {}
        self._failures: dict[str, tuple[int, float]] = {}
        self._deadlines: dict[str, int] = {}
        objects.store.listen(self._hear)

    def _hear(self, change: Change) -> None:
        metadata = change.item["metadata"]
        if change.kind == kinds.JOB:
            self._wake(metadata["namespace"], metadata["name"])
            if change.type == "DELETED":
                asyncio.get_running_loop().call_soon(self._release, metadata["uid"])
        elif change.kind == kinds.POD:
            for owner in metadata.get("ownerReferences") or []:
                if owner["kind"] != "Job":
                    continue
                pods = self._pods.setdefault(owner["uid"], {})
                if change.type == "DELETED":
                    pods.pop(metadata["uid"], None)
                else:
                    pods[metadata["uid"]] = (metadata["namespace"], metadata["name"])
                self._wake(metadata["namespace"], owner["name"])

    def _wake(self, namespace: str, name: str, after: float = 0.0) -> None:
        loop = asyncio.get_running_loop()
        if after > 0:
            loop.call_later(after, self._wake, namespace, name)
        elif (namespace, name) not in self._due:
            self._due.add((namespace, name))
            loop.call_soon(self._sync, namespace, name)

    def _owned(self, uid: str) -> list[Object]:
        places = self._pods.get(uid, {}).values()
        found = [self._objects.store.find(kinds.POD, *place) for place in places]
        return [pod for pod in found if pod is not None]

    def _release(self, uid: str) -> None:
        """Let go of the pods of a Job that is gone."""
        for pod in self._owned(uid):
            self._untrack(pod)
        self._pods.pop(uid, None)
        self._failures.pop(uid, None)
        self._deadlines.pop(uid, None)

    def _untrack(self, pod: Object) -> None:
        kept = [name for name in pod["metadata"].get("finalizers") or [] if name != TRACKING]
        self._objects.change(kinds.POD, pod, finalizers=kept or None)

    def _sync(self, namespace: str, name: str) -> None:
        self._due.discard((namespace, name))
        job = self._objects.store.find(kinds.JOB, namespace, name)
        if job is None:
            return
        if is_finished(job):
            self._expire(job)
        elif not job["metadata"].get("deletionTimestamp"):
            self._go_on(job)

    def _go_on(self, job: Object) -> None:
        status = deepcopy(job.get("status") or {})
        spec = job["spec"]
        if spec.get("suspend"):
            self._suspend(job, status)
            return
        status.setdefault("startTime", stamp())
        pods = self._owned(job["metadata"]["uid"])
        self._count(job, status, pods)
        reason = self._verdict(job, status, pods)
        if reason is None:
            self._create_missing(job, status, pods)
        elif reason == "CompletionsReached":
            self._succeed(job, status, pods)
        else:
            self._fail(job, status, pods, reason)

    def _suspend(self, job: Object, status: Object) -> None:
        """Delete its pods and say that it gets none; that one goes on later is nothing that is used."""
        pods = self._owned(job["metadata"]["uid"])
        for pod in pods:
            metadata = pod["metadata"]
            if pod["status"].get("phase") not in ("Succeeded", "Failed") and not _is_leaving(pod):
                self._objects.delete(kinds.POD, (metadata["namespace"], metadata["name"]), {})
        self._count(job, status, self._owned(job["metadata"]["uid"]))
        status.pop("startTime", None)
        if _decided(status, "Suspended", "JobSuspended"):
            self._events.tell("job-controller", job, "Suspended", "Job suspended")
        self._objects.set_status(kinds.JOB, job, status)

    def _count(self, job: Object, status: Object, pods: list[Object]) -> None:
        """Count the pods that ended and let go of them."""
        for pod in pods:
            phase = pod["status"].get("phase")
            if TRACKING not in (pod["metadata"].get("finalizers") or []):
                continue
            early = job["spec"].get("podReplacementPolicy") == "TerminatingOrFailed"
            gone = bool(early and pod["metadata"].get("deletionTimestamp"))
            if phase not in ("Succeeded", "Failed") and not gone:
                continue
            counted = "succeeded" if phase == "Succeeded" else "failed"
            status[counted] = status.get(counted, 0) + 1
            if counted == "failed":
                uid = job["metadata"]["uid"]
                self._failures[uid] = (self._failures.get(uid, (0, 0.0))[0] + 1, time.monotonic())
            self._untrack(pod)
        live = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
        leaving = [pod for pod in live if pod["metadata"].get("deletionTimestamp")]
        active = len(live) - len(leaving)
        status.pop("active", None)
        if active:
            status["active"] = active
        ready = [pod for pod in live if _is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]
        status |= {"terminating": len(leaving), "uncountedTerminatedPods": {}, "ready": len(ready)}

    def _verdict(self, job: Object, status: Object, pods: list[Object]) -> str | None:
        spec = job["spec"]
        for condition in status.get("conditions") or []:
            if condition["type"] in ("FailureTarget", "SuccessCriteriaMet"):
                return str(condition["reason"])
        if status.get("succeeded", 0) >= spec.get("completions", 1):
            return "CompletionsReached"
        if status.get("failed", 0) > spec["backoffLimit"]:
            return "BackoffLimitExceeded"
        deadline = spec.get("activeDeadlineSeconds")
        if deadline is not None:
            left = _seconds(status["startTime"]) + deadline - time.time()
            if left <= 0:
                return "DeadlineExceeded"
            uid = job["metadata"]["uid"]
            if self._deadlines.get(uid) != deadline:  # it can be changed while the Job runs
                self._deadlines[uid] = deadline
                self._wake(job["metadata"]["namespace"], job["metadata"]["name"], left + 0.01)
        return None

    def _create_missing(self, job: Object, status: Object, pods: list[Object]) -> None:
        spec = job["spec"]
        busy = status.get("active", 0) + (
            status.get("terminating", 0) if spec["podReplacementPolicy"] == "Failed" else 0
        )
        wanted = min(spec["parallelism"], spec.get("completions", 1) - status.get("succeeded", 0)) - busy
        failures, last = self._failures.get(job["metadata"]["uid"], (0, 0.0))
        wait = last + _BACKOFF * 2 ** (failures - 1) - time.monotonic() if failures else 0.0
        place = (job["metadata"]["namespace"], job["metadata"]["name"])
        if wanted > 0 and wait > 0:
            self._wake(*place, wait)
            wanted = 0
        for _ in range(max(wanted, 0)):
            try:
                made = self._objects.create(kinds.POD, place[0], _pod_of(job))
            except Problem as problem:
                self._events.tell(
                    "job-controller", job, "FailedCreate", f"Error creating: {problem.message}", warns=True
                )
                self._wake(*place, _REFUSED)
                break
            self._events.tell(
                "job-controller", job, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}"
            )
            status["active"] = status.get("active", 0) + 1
        self._objects.set_status(kinds.JOB, job, status)

    def _succeed(self, job: Object, status: Object, pods: list[Object]) -> None:
        first = _decided(status, "SuccessCriteriaMet", "CompletionsReached")
        job = self._objects.set_status(kinds.JOB, job, status) if first else job
        if status["terminating"]:
            return
        status = deepcopy(status)
        status["completionTime"] = stamp()
        _decided(status, "Complete", "CompletionsReached")
        self._objects.set_status(kinds.JOB, job, status)
        self._events.tell("job-controller", job, "Completed", "Job completed")

    def _fail(self, job: Object, status: Object, pods: list[Object], reason: str) -> None:
        first = _decided(status, "FailureTarget", reason)
        job = self._objects.set_status(kinds.JOB, job, status) if first else job
        live = [pod for pod in pods if pod["status"].get("phase") not in ("Succeeded", "Failed")]
        for pod in live:
            metadata = pod["metadata"]
            if not metadata.get("deletionTimestamp"):
                self._objects.delete(kinds.POD, (metadata["namespace"], metadata["name"]), {})
                self._events.tell(
                    "job-controller", job, "SuccessfulDelete", f"Deleted pod: {metadata['name']}"
                )
                status = {**status, "failed": status.get("failed", 0) + 1}
            current = self._objects.store.find(kinds.POD, metadata["namespace"], metadata["name"])
            if current is not None and TRACKING in (current["metadata"].get("finalizers") or []):
                self._untrack(current)
        still = [pod for pod in self._owned(job["metadata"]["uid"]) if _is_leaving(pod)]
        status = {**deepcopy(status), "terminating": len(still)}
        status.pop("active", None)
        if not still:
            _decided(status, "Failed", reason)
            self._events.tell("job-controller", job, reason, _WORDS[reason], warns=True)
        self._objects.set_status(kinds.JOB, job, status)

    def _expire(self, job: Object) -> None:
        left = job["spec"].get("ttlSecondsAfterFinished")
        metadata = job["metadata"]
        if left is None or metadata.get("deletionTimestamp"):
            return
        ended = max(_seconds(item["lastTransitionTime"]) for item in job["status"]["conditions"])
        wait = ended + left - time.time()
        if wait > 0:
            self._wake(metadata["namespace"], metadata["name"], wait + 0.01)
            return
        options = {"propagationPolicy": "Background"}
        self._objects.delete(kinds.JOB, (metadata["namespace"], metadata["name"]), options)


def is_finished(job: Object) -> bool:
    """Whether a Job is complete or has failed."""
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(item["type"] in ("Complete", "Failed") and item["status"] == "True" for item in conditions)


def _pod_of(job: Object) -> Object:
    template = deepcopy(job["spec"]["template"])
    metadata = template.get("metadata") or {}
    name = job["metadata"]["name"]
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name,
        "uid": job["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made = {
        "generateName": f"{name[:57]}-",
        "labels": metadata.get("labels"),
        "annotations": metadata.get("annotations"),
        "ownerReferences": [owner],
        "finalizers": [*(metadata.get("finalizers") or []), TRACKING],
    }
    kept = {field: value for field, value in made.items() if value is not None}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": template["spec"]}


def _decided(status: Object, type_: str, reason: str) -> bool:
    """Add a condition; False where it is there."""
    conditions = status.setdefault("conditions", [])
    if any(item["type"] == type_ for item in conditions):
        return False
    now = stamp()
    conditions.append(
        {
            "type": type_,
            "status": "True",
            "lastProbeTime": now,
            "lastTransitionTime": now,
            "reason": reason,
            "message": _WORDS[reason],
        }
    )
    return True


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _is_leaving(pod: Object) -> bool:
    live = pod["status"].get("phase") not in ("Succeeded", "Failed")
    return bool(live and pod["metadata"].get("deletionTimestamp"))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
