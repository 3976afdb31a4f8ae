"""What a server says, the real one that `ERRAND_TEST_KUBECONFIG` names or ours: both in the same words."""

import pytest

from tests.kubernetes.asking import MERGE, events, finished, job, make, name, running, state, waiting
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes


@pytest.mark.parametrize(
    ("script", "code", "reason", "conditions"),
    [
        (
            "true",
            0,
            "Completed",
            [("SuccessCriteriaMet", "CompletionsReached"), ("Complete", "CompletionsReached")],
        ),
        (
            "exit 3",
            3,
            "Error",
            [("FailureTarget", "BackoffLimitExceeded"), ("Failed", "BackoffLimitExceeded")],
        ),
    ],
)
def test_job_runs_and_says_how_it_ended(
    cluster: Cluster, script: str, code: int, reason: str, conditions: list[tuple[str, str]]
) -> None:
    made = make(cluster, script, template={"finalizers": ["errand/outcome"], "labels": {"a": "b"}})
    status = finished(cluster, made)
    assert [(item["type"], item["reason"]) for item in status["conditions"]] == conditions
    assert status["succeeded" if code == 0 else "failed"] == 1
    assert status["terminating"] == 0
    assert ("completionTime" in status) == (code == 0)
    pod = cluster.pod_of(made)
    metadata = pod["metadata"]
    assert metadata["name"].startswith(f"{made}-")
    assert (
        metadata["labels"].items()
        >= {"a": "b", "job-name": made, "batch.kubernetes.io/job-name": made}.items()
    )
    assert metadata["ownerReferences"][0].items() >= {"kind": "Job", "name": made, "controller": True}.items()
    assert metadata["finalizers"] == ["errand/outcome"]
    assert pod["status"]["phase"] == ("Succeeded" if code == 0 else "Failed")
    ended = state(pod)["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (code, reason)
    assert ended.keys() == {"exitCode", "reason", "startedAt", "finishedAt", "containerID"}
    patch = {"metadata": {"finalizers": None}}
    assert cluster.ask("PATCH", f"pods/{metadata['name']}", patch, headers=MERGE).status_code == 200
    gone = cluster.ask("DELETE", f"jobs/{made}?propagationPolicy=Background")
    assert gone.json().items() >= {"kind": "Status", "status": "Success"}.items()
    assert gone.json()["details"].keys() == {"name", "group", "kind", "uid"}
    cluster.wait_until_gone(f"pods/{metadata['name']}")


def test_events_tell_what_happens(cluster: Cluster) -> None:
    made = make(cluster)
    finished(cluster, made)
    pod = cluster.pod_of(made)["metadata"]["name"]
    told = {
        reason: events(cluster, pod, reason)[0] for reason in ("Scheduled", "Pulled", "Created", "Started")
    }
    assert told["Started"]["involvedObject"]["fieldPath"] == "spec.containers{job}"
    assert told["Created"]["message"] == "Container created"
    assert told["Scheduled"]["message"].startswith(f"Successfully assigned {cluster.namespace}/{pod} to ")
    assert told["Scheduled"]["reportingComponent"] == "default-scheduler"
    assert told["Pulled"]["source"]["component"] == "kubelet"
    assert events(cluster, made, "SuccessfulCreate")[0]["message"] == f"Created pod: {pod}"
    assert events(cluster, made, "Completed")[0]["message"] == "Job completed"


def test_program_that_is_not_there(cluster: Cluster) -> None:
    made = make(cluster, container={"command": ["no-such-program"]})
    finished(cluster, made)
    ended = state(cluster.pod_of(made))["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (128, "StartError")
    assert ended["message"].endswith('exec: "no-such-program": executable file not found in $PATH')
    assert ended["startedAt"] == "1970-01-01T00:00:00Z"


def test_image_that_no_registry_has(cluster: Cluster) -> None:
    made = make(cluster, container={"image": "localhost:1/nope:1"})
    words = waiting(cluster, made, "ErrImagePull")
    assert words.startswith('failed to pull and unpack image "localhost:1/nope:1": failed to resolve image: ')


def test_image_whose_name_is_none(cluster: Cluster) -> None:
    made = make(cluster, container={"image": "no-such-image@nowhere"})
    words = waiting(cluster, made, "InvalidImageName")
    assert words == (
        'Failed to apply default image tag "no-such-image@nowhere": couldn\'t parse image name '
        '"no-such-image@nowhere": invalid reference format'
    )


def test_secret_that_is_missing(cluster: Cluster) -> None:
    source = {"secretKeyRef": {"name": "nope", "key": "a"}}
    made = make(cluster, container={"env": [{"name": "A", "valueFrom": source}]})
    assert waiting(cluster, made, "CreateContainerConfigError") == 'secret "nope" not found'


def test_key_that_is_missing(cluster: Cluster) -> None:
    config = name()
    cluster.ask("POST", "configmaps", {"metadata": {"name": config}, "data": {"b": "1"}})
    source = {"configMapKeyRef": {"name": config, "key": "a"}}
    made = make(cluster, container={"env": [{"name": "A", "valueFrom": source}]})
    words = waiting(cluster, made, "CreateContainerConfigError")
    assert words == f"couldn't find key a in ConfigMap {cluster.namespace}/{config}"


def test_root_where_that_may_not_be(cluster: Cluster) -> None:
    made = make(cluster, container={"securityContext": {"runAsNonRoot": True}})
    words = waiting(cluster, made, "CreateContainerConfigError")
    assert words.startswith("container has runAsNonRoot and image will run as root (pod: ")


def test_pod_that_fits_on_no_node(cluster: Cluster) -> None:
    made = make(cluster, pod={"nodeSelector": {"no": "such"}}, template={"finalizers": ["errand/outcome"]})
    pod = cluster.pod_of(made)["metadata"]["name"]
    said = cluster.wait_for(f"pods/{pod}", lambda item: item["status"].get("conditions"))
    condition = said["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "PodScheduled",
        "False",
        "Unschedulable",
    )
    assert "node(s) didn't match Pod's node affinity/selector" in condition["message"]
    assert events(cluster, pod, "FailedScheduling")[0]["message"] == condition["message"]
    log = cluster.ask("GET", f"pods/{pod}/log")
    assert (log.status_code, log.content) == (204, b"")
    cluster.ask("DELETE", f"pods/{pod}")
    failed = cluster.wait_for(f"pods/{pod}", lambda item: item["status"]["phase"] == "Failed")
    assert "containerStatuses" not in failed["status"]
    assert failed["metadata"]["deletionGracePeriodSeconds"] == 0
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)
    cluster.wait_until_gone(f"pods/{pod}")


def test_pod_that_waits_is_deleted(cluster: Cluster) -> None:
    made = make(
        cluster, container={"image": "localhost:1/nope:1"}, template={"finalizers": ["errand/outcome"]}
    )
    pod = cluster.pod_of(made)["metadata"]["name"]
    cluster.wait_for(f"pods/{pod}", lambda item: state(item).get("waiting", {}).get("message"))
    deleted = cluster.ask("DELETE", f"pods/{pod}").json()
    assert (deleted["kind"], deleted["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 30)
    said = cluster.wait_for(f"pods/{pod}", lambda item: item["status"]["phase"] == "Failed")
    ended = state(said)["terminated"]
    assert ended == {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": None,
        "finishedAt": None,
    }
    assert [item["reason"] for item in finished(cluster, made)["conditions"]] == ["BackoffLimitExceeded"] * 2
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("trap 'exit 7' TERM; echo ready; sleep 60 & wait", 7),
        ("trap '' TERM; echo ready; while :; do sleep 0.1; done", 137),
        ("echo ready; exec sleep 60", 143),
    ],
)
def test_delete_ends_a_pod_with_its_grace(cluster: Cluster, script: str, code: int) -> None:
    made = make(cluster, script, template={"finalizers": ["errand/outcome"]})
    pod = running(cluster, made)
    cluster.ask("DELETE", f"pods/{pod}?gracePeriodSeconds=2")
    said = cluster.wait_for(f"pods/{pod}", lambda item: item["metadata"]["deletionGracePeriodSeconds"] == 0)
    ended = state(said)["terminated"]
    assert ended["exitCode"] == code
    assert said["metadata"]["deletionTimestamp"] >= ended["finishedAt"]
    assert said["status"]["phase"] == "Failed"
    assert events(cluster, pod, "Killing")[0]["message"] == "Stopping container job"
    finished(cluster, made)
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)
    cluster.wait_until_gone(f"pods/{pod}")


def test_hook_signals_every_process_but_the_first(cluster: Cluster) -> None:
    # Not in its log, which a node that is done with the container may have deleted.
    child = "trap 'echo child >/dev/termination-log; exit' TERM; echo ready; while :; do sleep 0.1; done"
    script = f"trap 'sleep 0.3; exit 9' TERM; sh -c \"{child}\" & while :; do wait; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "kill -TERM -1; sleep 60"]}}}
    made = make(cluster, script, container={"lifecycle": hook}, template={"finalizers": ["errand/outcome"]})
    pod = running(cluster, made)
    cluster.ask("DELETE", f"pods/{pod}?gracePeriodSeconds=20")
    said = cluster.wait_for(f"pods/{pod}", lambda item: "terminated" in state(item))
    ended = state(said)["terminated"]
    assert (ended["exitCode"], ended["message"]) == (9, "child\n")
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)


def test_hook_that_fails_is_told(cluster: Cluster) -> None:
    hook = {"preStop": {"exec": {"command": ["no-such-program"]}}}
    made = make(cluster, "echo ready; exec sleep 60", container={"lifecycle": hook})
    pod = running(cluster, made)
    cluster.ask("DELETE", f"pods/{pod}?gracePeriodSeconds=5")
    assert events(cluster, pod, "FailedPreStopHook")[0]["message"] == "PreStopHook failed"
    cluster.wait_until_gone(f"pods/{pod}")


def test_deadline_of_a_job(cluster: Cluster) -> None:
    made = make(cluster, "sleep 60", activeDeadlineSeconds=1, template={"finalizers": ["errand/outcome"]})
    status = finished(cluster, made)
    assert [(item["type"], item["reason"], item["message"]) for item in status["conditions"]] == [
        (type_, "DeadlineExceeded", "Job was active longer than specified deadline")
        for type_ in ("FailureTarget", "Failed")
    ]
    pod = cluster.pod_of(made)
    assert state(pod)["terminated"]["exitCode"] == 143
    cluster.ask("PATCH", f"pods/{pod['metadata']['name']}", {"metadata": {"finalizers": None}}, headers=MERGE)


def test_finished_job_goes_after_its_time(cluster: Cluster) -> None:
    made = make(cluster, ttlSecondsAfterFinished=0)
    cluster.wait_until_gone(f"jobs/{made}")


def test_job_deleted_plainly_leaves_its_pods(cluster: Cluster) -> None:
    made = make(cluster)
    finished(cluster, made)
    pod = cluster.pod_of(made)["metadata"]["name"]
    cluster.ask("DELETE", f"jobs/{made}")
    cluster.wait_until_gone(f"jobs/{made}")
    assert "ownerReferences" not in cluster.get(f"pods/{pod}")["metadata"]
    cluster.ask("DELETE", f"pods/{pod}")
    cluster.wait_until_gone(f"pods/{pod}")


def test_what_belongs_to_a_job_goes_with_it(cluster: Cluster) -> None:
    made = cluster.ask("POST", "jobs", job(cluster, suspend=True)).json()
    owner = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": made["metadata"]["name"],
        "uid": made["metadata"]["uid"],
    }
    secret = name()
    body = {"metadata": {"name": secret, "ownerReferences": [owner]}, "stringData": {"a": "b"}}
    assert cluster.ask("POST", "secrets", body).json()["data"] == {"a": "Yg=="}
    cluster.ask("DELETE", f"jobs/{owner['name']}?propagationPolicy=Background")
    cluster.wait_until_gone(f"secrets/{secret}")


def test_memory_beyond_the_limit(cluster: Cluster) -> None:
    script = "head -c 90000000 /dev/zero | tail -c 90000000 | wc -c | grep -x 90000000"
    made = make(cluster, script, container={"resources": {"limits": {"memory": "32Mi"}}})
    finished(cluster, made)
    assert state(cluster.pod_of(made))["terminated"]["reason"] == "OOMKilled"


def test_container_is_told_what_its_spec_says(cluster: Cluster) -> None:
    config, secret = name(), name()
    cluster.ask("POST", "configmaps", {"metadata": {"name": config}, "data": {"one": "1", "file": "text\n"}})
    cluster.ask("POST", "secrets", {"metadata": {"name": secret}, "stringData": {"token": "x", "two": "2"}})
    env = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": secret, "key": "token"}}},
        {"name": "NONE", "valueFrom": {"secretKeyRef": {"name": "nope", "key": "a", "optional": True}}},
        {"name": "BOTH", "value": "$(TOKEN) $(id) $$(TOKEN)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    ]
    mounts = [
        {"name": "files", "mountPath": "/etc/app/file", "subPath": "file", "readOnly": True},
        {"name": "empty", "mountPath": "/scratch"},
    ]
    container = {
        "command": ["sh", "-c"],
        "args": [
            'echo "$TOKEN $BOTH $POD $one ${NONE-unset} $0"; cat /etc/app/file; '
            "ls -l /etc/app/file | cut -c1-10; "
            "echo x > /scratch/x; id -u; pwd; echo why > /dev/termination-log",
            "$(TOKEN)",
        ],
        "env": env,
        "envFrom": [{"configMapRef": {"name": config}}],
        "volumeMounts": mounts,
        "workingDir": "/some/where",
        "securityContext": {"runAsUser": 1000},
    }
    volumes = [
        {"name": "files", "configMap": {"name": config, "defaultMode": 0o444}},
        {"name": "empty", "emptyDir": {}},
    ]
    made = make(cluster, container=container, pod={"volumes": volumes})
    finished(cluster, made)
    pod = cluster.pod_of(made)
    assert cluster.ask("GET", f"pods/{pod['metadata']['name']}/log").text == (
        f"x x $(id) $(TOKEN) {cluster.namespace} 1 unset x\ntext\n-r--r--r--\n1000\n/some/where\n"
    )


def test_init_containers_come_first(cluster: Cluster) -> None:
    mounts = [{"name": "shared", "mountPath": "/shared"}]
    first = {
        "name": "first",
        "image": cluster.image,
        "volumeMounts": mounts,
        "command": ["sh", "-c", "echo hi > /shared/x"],
    }
    pod = {"volumes": [{"name": "shared", "emptyDir": {}}], "initContainers": [first]}
    made = make(cluster, "cat /shared/x", pod=pod, container={"volumeMounts": mounts})
    finished(cluster, made)
    said = cluster.pod_of(made)
    assert cluster.ask("GET", f"pods/{said['metadata']['name']}/log").text == "hi\n"
    assert said["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"
    first["command"] = ["false"]
    failing = make(cluster, pod=pod | {"initContainers": [first]})
    assert finished(cluster, failing)["failed"] == 1
    said = cluster.pod_of(failing)
    assert state(said) == {"waiting": {"reason": "PodInitializing"}}
    assert said["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 1
