"""What is told of a run whose pod has containers beside it that are restarted."""

from typing import Any

from executor.kubernetes.watching import states
from executor.kubernetes.watching.outcomes import Runs, Waits
from executor.spec import Result
from tests.executor.kubernetes.watching.test_outcomes import NOON, ONE, TWO, ended, outcome, read, waiting


def accompanied(sidecar: dict[str, Any], state: dict[str, Any], **status: Any) -> states.Pod:
    """A pod with a native sidecar, whose entry in the status is `sidecar`, and the container `job`."""
    told: dict[str, Any] = {
        "initContainerStatuses": [{"name": "mesh", **sidecar}],
        "containerStatuses": [{"name": "job", "state": state}],
    }
    return states.pod(
        {
            "metadata": {"name": "run-1-abcde", "namespace": "jobs", "creationTimestamp": ONE},
            "spec": {
                "nodeName": "node-1",
                "initContainers": [{"name": "mesh", "restartPolicy": "Always"}],
                "containers": [{"name": "job"}],
            },
            "status": {"phase": "Pending"} | told | status,
        }
    )


UP = {"state": {"running": {"startedAt": ONE}}, "started": True}


def test_sidecar_that_ends_and_is_restarted_is_nothing_to_the_job() -> None:
    for beside in ({"state": ended(1)}, {"state": waiting("CrashLoopBackOff", "back-off")}, UP):
        running = {"running": {"startedAt": TWO}}
        assert read(accompanied(beside, running, phase="Running")) == Runs(NOON + 2)
        said = outcome(accompanied(beside, ended(4), phase="Running"))
        assert (said.result, said.exit_code, said.started_at) == (Result.FAILED, 4, NOON + 2)


def test_what_cannot_start_beside_a_sidecar_that_runs_is_not_running() -> None:
    assert read(accompanied(UP, waiting("ErrImagePull", "not found"))) == Waits("ErrImagePull", "not found")
    slow = read(accompanied({**UP, "started": False}, waiting("PodInitializing")))
    assert isinstance(slow, Waits)
    assert (slow.reason, "mesh" in slow.words) == ("SidecarStarting", True)
    failing = read(accompanied({"state": waiting("ErrImagePull", "not found")}, waiting("PodInitializing")))
    assert failing == Waits("ErrImagePull", "Its sidecar mesh: not found")


def test_sidecar_that_fails_before_it_is_up_ends_the_pod_and_is_named() -> None:
    said = outcome(accompanied({"state": ended(1)}, waiting("PodInitializing"), phase="Failed"))
    assert (said.result, said.exit_code, said.reason) == (Result.ERROR, None, "SidecarFailed")
    assert "mesh ended with 1" in (said.message or "")


def test_init_container_that_may_be_restarted_ends_nothing_before_the_pod_does() -> None:
    told: dict[str, Any] = {
        "metadata": {"name": "run-1-abcde", "namespace": "jobs", "creationTimestamp": ONE},
        "spec": {
            "nodeName": "node-1",
            "initContainers": [{"name": "fetch", "restartPolicy": "OnFailure"}],
            "containers": [{"name": "job"}],
        },
        "status": {"phase": "Pending", "initContainerStatuses": [{"name": "fetch", "state": ended(4)}]},
    }
    assert isinstance(read(states.pod(told)), Runs)
    told["status"]["phase"] = "Failed"
    assert outcome(states.pod(told)).exit_code == 4
