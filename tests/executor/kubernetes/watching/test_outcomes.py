"""What is told of a run, from the objects that the cluster shows."""

from typing import Any

import pytest

from executor.kubernetes.objects.pods import SIGNALLED
from executor.kubernetes.watching import outcomes, states
from executor.kubernetes.watching.outcomes import Reading, Runs, Waits
from executor.spec import Outcome, Result

NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z"""
ONE, TWO, THREE, LATE = (f"2026-01-01T12:00:0{second}Z" for second in (1, 2, 3, 9))
RUNC = "runc create failed: unable to start container process: "


def job(deadline: int | None = None, **status: Any) -> states.Job:
    annotations = {"errand/key": "run-1"} | status.pop("annotations", {})
    return states.job(
        {
            "metadata": {
                "name": "run-1",
                "namespace": "jobs",
                "uid": "1",
                "creationTimestamp": ONE,
                "annotations": annotations,
            },
            "spec": {"activeDeadlineSeconds": deadline} if deadline else {},
            "status": status,
        }
    )


def pod(
    state: dict[str, Any] | None = None,
    *,
    phase: str = "",
    node: str = "node-1",
    init: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
    hook: bool = False,
    **status: Any,
) -> states.Pod:
    named = {
        "name": "run-1-abcde",
        "namespace": "jobs",
        "uid": "2",
        "creationTimestamp": ONE,
        "labels": {"errand/key": "run-1"},
        "finalizers": ["errand/outcome"],
    }
    told: dict[str, Any] = {"phase": phase or ("Failed" if "terminated" in (state or {}) else "Pending")}
    if state is not None:
        told["containerStatuses"] = [
            {"name": "sidecar", "state": {"running": {"startedAt": ONE}}},
            {"name": "job", "state": state},
        ]
    if init is not None:
        told["initContainerStatuses"] = [{"name": "fetch", "state": init}]
    ours: dict[str, Any] = {"name": "job", "resources": {"limits": {"memory": "128Mi"}}}
    if hook:
        ours["lifecycle"] = {"preStop": {}}
    return states.pod(
        {
            "metadata": named | (metadata or {}),
            "spec": {
                "nodeName": node,
                "initContainers": [{"name": "fetch"}] if init is not None else [],
                "containers": [ours, {"name": "sidecar"}],
            },
            "status": told | status,
        }
    )


def ended(code: int, reason: str = "", message: str = "", *, started: str = TWO) -> dict[str, Any]:
    said = {"exitCode": code, "reason": reason, "message": message, "startedAt": started, "finishedAt": THREE}
    return {"terminated": said}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def condition(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


def read(said: states.Pod | None, of: states.Job | None = None, *events: states.Event) -> Reading:
    return outcomes.read(of or job(), said, events, NOON)


def outcome(said: states.Pod | None, of: states.Job | None = None, now: float = NOON) -> Outcome:
    reading = outcomes.read(of or job(), said, [], now)
    assert isinstance(reading, Outcome)
    return reading


@pytest.mark.parametrize(
    ("code", "result"),
    [(0, Result.SUCCEEDED), (3, Result.FAILED), (137, Result.FAILED), (143, Result.FAILED)],
)
def test_exit_code_is_the_container_s_own(code: int, result: Result) -> None:
    said = outcome(pod(ended(code)))
    assert said == Outcome(result, exit_code=code, started_at=NOON + 2, finished_at=NOON + 3)


def test_times_with_fractions_and_zones_are_read_too() -> None:
    assert states.moment("2026-01-01T13:00:00.5+01:00") == NOON + 0.5
    assert states.moment("1970-01-01T00:00:00Z") is None
    assert states.moment(None) is None


def test_memory_limit_is_told_in_words() -> None:
    said = outcome(pod(ended(137, "OOMKilled")))
    assert (said.result, said.exit_code, said.reason) == (Result.FAILED, 137, "OOMKilled")
    assert said.message == "It was killed at its memory limit of 128 MiB."
    assert outcome(pod(ended(0, "OOMKilled"))).result is Result.SUCCEEDED


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (RUNC + 'exec: "nope": executable file not found in $PATH', 127),
        (RUNC + 'exec: "/nope": stat /nope: no such file or directory', 127),
        (RUNC + 'exec: "/etc/passwd": permission denied', 126),
        (RUNC + "exec /run.sh: exec format error", 126),
        (RUNC + "error during container init: exec /run.sh: no such file or directory", 127),
    ],
)
def test_command_that_cannot_be_executed_is_the_job_s_own_failure(words: str, code: int) -> None:
    said = outcome(pod(ended(128, "StartError", words, started="1970-01-01T00:00:00Z")))
    assert (said.result, said.exit_code, said.reason) == (Result.FAILED, code, None)
    assert said.message == words.removeprefix(RUNC)
    assert said.started_at is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (RUNC + "error during container init: mkdir /etc/passwd: not a directory", "WorkdirInvalid"),
        (RUNC + 'chdir to cwd ("/nope") set in config.json failed: permission denied', "WorkdirInvalid"),
        ("failed to create shim task: no space left on device", "StartRefused"),
    ],
)
def test_container_that_cannot_be_made_is_no_failure_of_the_job(words: str, reason: str) -> None:
    said = outcome(pod(ended(128, "StartError", words, started="1970-01-01T00:00:00Z")))
    assert (said.result, said.exit_code, said.reason, said.message) == (Result.ERROR, None, reason, words)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, "Evicted"),
        (condition("DisruptionTarget", "True", "PreemptionByScheduler", "for jobs/urgent"), "Preempted"),
        (condition("DisruptionTarget", "True", "DeletionByTaintManager", "unreachable"), "NodeLost"),
        (condition("DisruptionTarget", "True", "DeletionByPodGC", "orphaned"), "NodeLost"),
        (condition("DisruptionTarget", "True", "EvictionByEvictionAPI", "drained"), "Evicted"),
        (condition("DisruptionTarget", "True", "New", "for a reason"), "Disrupted"),
    ],
)
def test_what_the_cluster_ends_never_looks_like_the_job_s_failure(
    status: dict[str, Any], reason: str
) -> None:
    for state in (ended(143), None):
        said = outcome(pod(state, phase="Failed", **status))
        assert (said.result, said.exit_code, said.reason) == (Result.ERROR, None, reason)
        assert said.message
    assert outcome(pod(ended(0), **status)).result is Result.SUCCEEDED


@pytest.mark.parametrize("reason", ["ContainerStatusUnknown", "Unknown"])
def test_container_that_its_node_lost_sight_of_is_lost_with_the_node(reason: str) -> None:
    said = outcome(pod(ended(137, reason)))
    assert (said.result, said.exit_code, said.reason) == (Result.ERROR, None, "NodeLost")


def test_pod_that_somebody_deletes_is_lost_unless_it_had_succeeded() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T12:00:32Z", "deletionGracePeriodSeconds": 30}
    said = outcome(pod(ended(143), metadata=deleted))
    assert (said.result, said.reason) == (Result.ERROR, "ContainerLost")
    assert outcome(pod(ended(0), metadata=deleted)).result is Result.SUCCEEDED
    at_the_end = {"deletionTimestamp": "2026-01-01T12:00:04Z", "deletionGracePeriodSeconds": 0}
    assert outcome(pod(ended(143), metadata=at_the_end)).reason == "ContainerLost"
    long_after = {"deletionTimestamp": "2026-01-01T12:10:00Z", "deletionGracePeriodSeconds": 0}
    assert outcome(pod(ended(3), metadata=long_after)).result is Result.FAILED


def test_pod_deleted_before_it_had_a_node_ends_at_once() -> None:
    said = outcome(pod(node="", metadata={"deletionTimestamp": ONE}))
    assert (said.result, said.reason) == (Result.ERROR, "ContainerLost")


def test_node_that_never_says_what_became_of_a_deleted_pod_is_lost() -> None:
    deleted = {"deletionTimestamp": ONE, "deletionGracePeriodSeconds": 30}
    running = pod({"running": {"startedAt": TWO}}, phase="Running", metadata=deleted)
    assert read(running) == Runs(NOON + 2)
    late = NOON + 2 + outcomes.OVERDUE
    assert outcome(running, now=late).reason == "NodeLost"
    stopped = outcome(running, job(annotations={"errand/stop": "cancelled"}), late)
    assert (stopped.result, stopped.exit_code, stopped.reason) == (Result.CANCELLED, None, None)
    assert "node-1" in (stopped.message or "")


def test_stop_is_told_with_the_exit_code_that_the_job_chose() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T12:00:32Z", "deletionGracePeriodSeconds": 30}
    said = outcome(pod(ended(7), metadata=deleted), job(annotations={"errand/stop": "cancelled"}))
    assert (said.result, said.exit_code, said.reason, said.message) == (Result.CANCELLED, 7, None, None)
    late = job(annotations={"errand/stop": "timed_out", "errand/stop-reason": "DeadlineExceeded"})
    said = outcome(pod(ended(137), metadata=deleted), late)
    assert (said.result, said.exit_code, said.reason) == (Result.TIMED_OUT, 137, "DeadlineExceeded")


def test_what_could_not_start_in_time_is_told_by_every_bot_in_the_same_words() -> None:
    noted = {"errand/stop": "error", "errand/stop-reason": "Unschedulable", "errand/stop-words": "no nodes"}
    for said in (
        outcome(pod(node="", metadata={"deletionTimestamp": ONE}), job(annotations=noted)),
        outcome(
            None, job(annotations=noted, **condition("Suspended", "True", "JobSuspended", "Job suspended"))
        ),
    ):
        assert said == Outcome(Result.ERROR, reason="Unschedulable", message="no nodes")


def test_job_that_is_stopped_without_a_pod_has_ended_once_it_can_get_none() -> None:
    stop = {"errand/stop": "cancelled"}
    suspended = condition("Suspended", "True", "JobSuspended", "Job suspended")
    assert isinstance(read(None, job(annotations=stop)), Waits)
    assert isinstance(read(None, job(annotations=stop, active=1, **suspended)), Waits)
    assert outcome(None, job(annotations=stop, **suspended)) == Outcome(Result.CANCELLED)


def test_cluster_s_own_deadline_counts_as_a_timeout() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T12:00:32Z", "deletionGracePeriodSeconds": 30}
    over = job(**condition("Failed", "True", "DeadlineExceeded", "Job was active longer than specified"))
    said = outcome(pod(ended(143), metadata=deleted), over)
    assert (said.result, said.exit_code, said.reason) == (Result.TIMED_OUT, 143, "DeadlineExceeded")
    assert outcome(pod(ended(0)), over).result is Result.SUCCEEDED


def test_pod_deleted_at_the_cluster_s_own_deadline_has_timed_out_before_the_job_says_so() -> None:
    deleted = {"deletionTimestamp": "2026-01-01T12:00:04Z", "deletionGracePeriodSeconds": 1}
    said = outcome(pod(ended(143), metadata=deleted), job(2, startTime=ONE))
    assert (said.result, said.exit_code, said.reason) == (Result.TIMED_OUT, 143, "DeadlineExceeded")
    early = outcome(pod(ended(143), metadata=deleted), job(60, startTime=ONE))
    assert (early.result, early.reason) == (Result.ERROR, "ContainerLost")


def test_first_init_container_that_fails_ends_it() -> None:
    said = outcome(pod(waiting("PodInitializing"), init=ended(4), phase="Failed"))
    assert (said.result, said.exit_code, said.started_at) == (Result.FAILED, 4, NOON + 2)
    assert read(pod(waiting("PodInitializing"), init=ended(0))) == Runs(NOON + 2)
    assert read(pod(waiting("PodInitializing"), init={"running": {"startedAt": TWO}})) == Runs(NOON + 2)


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        (waiting("ImagePullBackOff", 'Back-off pulling image "x": 401'), "ImagePullBackOff"),
        (waiting("ErrImagePull", "not found"), "ErrImagePull"),
        (waiting("CreateContainerConfigError", 'secret "nope" not found'), "CreateContainerConfigError"),
    ],
)
def test_container_that_waits_says_why_in_the_node_s_words(state: dict[str, Any], wanted: str) -> None:
    assert read(pod(state)) == Waits(wanted, state["waiting"]["message"])


def test_name_that_is_no_image_s_is_not_waited_for() -> None:
    said = read(pod(waiting("InvalidImageName", "couldn't parse")))
    assert said == Waits("ImageMissing", "couldn't parse", patience=0.0)


def test_what_every_run_waits_for_is_told_apart_from_trouble() -> None:
    unscheduled = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available.")
    usual = [read(None), read(pod(node="")), read(pod(waiting("ContainerCreating")))]
    trouble = [read(pod(node="", **unscheduled)), read(pod(waiting("ErrImagePull", "not found")))]
    assert [one.is_usual for one in (*usual, *trouble) if isinstance(one, Waits)] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('pods "run-1-x" is forbidden: violates PodSecurity "restricted:latest": ...', "PodRefused"),
        ('pods "run-1-x" is forbidden: maximum cpu usage per Container is 1', "PodRefused"),
        ('admission webhook "policy.acme.example" denied the request: no', "PodRefused"),
        ('Pod "run-1-x" is invalid: spec.containers[0].image: Required value', "PodRefused"),
        ('pods "run-1-x" is forbidden: exceeded quota: q, requested: pods=1', "QuotaExceeded"),
        ("Internal error occurred: failed calling webhook: connection refused", "FailedCreate"),
    ],
)
def test_refusal_of_a_pod_that_lasts_is_told_apart_from_one_that_passes(words: str, reason: str) -> None:
    said = read(None, job(), states.Event("Job", "run-1", "FailedCreate", f"Error creating: {words}"))
    assert isinstance(said, Waits)
    assert (said.reason, said.patience < 60) == (reason, reason == "PodRefused")
    assert "run-1-x" not in said.words


def test_pod_without_a_node_says_so_in_the_scheduler_s_words() -> None:
    unschedulable = condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available.")
    assert read(pod(node="", **unschedulable)) == Waits("Unschedulable", "0/3 nodes are available.")


def test_events_say_what_no_status_does() -> None:
    volume = states.Event("Pod", "run-1-abcde", "FailedMount", 'configmap "x" not found')
    failed = states.Event("Pod", "run-1-abcde", "Failed", "Error: ErrImagePull")
    assert read(pod(waiting("ContainerCreating")), job(), volume, failed) == Waits(
        "FailedMount", 'configmap "x" not found'
    )
    words = 'pods "run-1-x9x9x" is forbidden: exceeded quota: q, requested: pods=1'
    quota = states.Event("Job", "run-1", "FailedCreate", f"Error creating: {words}")
    assert read(None, job(), quota) == Waits(
        "QuotaExceeded", "Error creating: its pod is forbidden: exceeded quota: q, requested: pods=1"
    )
    assert isinstance(read(None, job()), Waits)


def test_vanished_objects_are_told_as_lost_or_as_what_they_were_stopped_for() -> None:
    assert outcomes.vanished(job(), "Deleted.").reason == "ContainerLost"
    assert (
        outcomes.vanished(job(annotations={"errand/stop": "cancelled"}), "Deleted.").result
        is Result.CANCELLED
    )


def disrupted(reason: str, at: str) -> dict[str, Any]:
    said = condition("DisruptionTarget", "True", reason, "drained")
    said["conditions"][0]["lastTransitionTime"] = at
    return said


@pytest.mark.parametrize(
    ("code", "at", "reason"),
    [
        (7, LATE, None),
        (7, "2026-01-01T12:00:04Z", None),
        (143, LATE, None),
        (143, "2026-01-01T12:00:04Z", "Evicted"),  # the node's clock may be behind
        (7, THREE, "Evicted"),
        (7, TWO, "Evicted"),
    ],
)
def test_pod_is_evicted_only_if_its_container_had_not_ended_before(
    code: int, at: str, reason: str | None
) -> None:
    drained = disrupted("EvictionByEvictionAPI", at)
    by_node = disrupted("TerminationByKubelet", at) | {"reason": "Evicted", "message": "low on memory"}
    for status in (drained, by_node):
        said = outcome(pod(ended(code), **status))
        assert (said.exit_code, said.reason) == (None if reason else code, reason)


def test_pod_deleted_within_seconds_of_its_end_had_ended_by_itself() -> None:
    soon = {"deletionTimestamp": "2026-01-01T12:00:34Z", "deletionGracePeriodSeconds": 30}
    said = outcome(pod(ended(7), metadata=soon))
    assert (said.result, said.exit_code) == (Result.FAILED, 7)


def test_job_that_ended_before_the_cluster_s_deadline_has_not_timed_out() -> None:
    over = job(8, startTime=ONE, **condition("Failed", "True", "DeadlineExceeded", "too long"))
    said = outcome(pod(ended(7)), over)
    assert (said.result, said.exit_code) == (Result.FAILED, 7)


DELETIONS = [
    pytest.param({"deletionTimestamp": THREE, "deletionGracePeriodSeconds": 1}, id="ending"),
    # The node was done, and took back the grace.
    pytest.param({"deletionTimestamp": "2026-01-01T12:00:09Z", "deletionGracePeriodSeconds": 0}, id="done"),
]


@pytest.mark.parametrize("deleted", DELETIONS)
def test_exit_code_of_what_was_stopped_is_the_container_s_own(deleted: dict[str, Any]) -> None:
    stopped = job(annotations={"errand/stop": "cancelled"})
    for code in (137, 143):
        said = outcome(pod(ended(code), metadata=deleted, hook=True), stopped)
        assert (said.result, said.exit_code) == (Result.CANCELLED, code)


@pytest.mark.parametrize("deleted", DELETIONS)
@pytest.mark.parametrize("code", [7, 143])
def test_pod_whose_hook_told_the_job_to_stop_was_deleted_before_that_ended(
    deleted: dict[str, Any], code: int
) -> None:
    said = outcome(pod(ended(code, message=SIGNALLED), metadata=deleted, hook=True))
    assert (said.result, said.reason) == (Result.ERROR, "ContainerLost")
