"""Ends a Job: the node sends SIGTERM, after the pod's own grace SIGKILL.

What it is stopped for is noted at the Job first, so that every bot tells the same outcome. Where there is no
pod yet the Job is suspended, and gets none.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from executor.kubernetes.client import Client
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import JOBS, PODS, REASON, STOP, WORDS
from executor.kubernetes.watching.states import Job, Pod
from executor.spec import Result

ALONE = "SIGTERM went to the job's first process only: its image has no sh with kill."


@dataclass(frozen=True, slots=True)
class Stop:
    """Why: the result, with the `reason` and the sentence of its outcome, if there are any."""

    result: Result
    reason: str = ""
    words: str = ""


def noted(job: Job) -> Stop | None:
    """Give what a Job is stopped for already."""
    return Stop(Result(job.stop), job.reason, job.words) if job.stop in set(Result) else None


async def stop(client: Client, job: Job, pod: Pod | None, why: Stop) -> None:
    """Do what is left to do; raises EngineUnavailable, and `Refused` where that is not allowed."""
    if not job.stop:
        noted = {STOP: why.result.value, REASON: why.reason or None, WORDS: why.words or None}
        change: dict[str, Any] = {"metadata": {"annotations": noted}}
        if pod is None:
            change["spec"] = {"suspend": True}
        await _patch(client, job, change)
    elif pod is None and not job.is_suspended:
        await _patch(client, job, {"spec": {"suspend": True}})
    if pod is not None and pod.deleted_at is None and not pod.has_ended:
        await client.delete(PODS, pod.namespace, pod.name)


async def _patch(client: Client, job: Job, change: dict[str, Any]) -> None:
    try:
        await client.patch(JOBS, job.namespace, job.name, change)
    except Refused as refused:
        if refused.status != HTTPStatus.NOT_FOUND:  # gone: its pod goes as well
            raise
