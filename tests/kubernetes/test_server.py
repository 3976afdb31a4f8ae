"""What a server says, the real one that `ERRAND_TEST_KUBECONFIG` names or ours: both in the same words."""

import json
from typing import Any
from uuid import uuid4

import pytest

from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes

MERGE = {"Content-Type": "application/merge-patch+json"}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
STEPS = {"Content-Type": "application/json-patch+json"}


def name() -> str:
    return f"t-{uuid4().hex[:10]}"


def job(cluster: Cluster, script: str = "true", **more: Any) -> dict[str, Any]:
    """A Job with one container; `pod`, `container` and `template` are put into those, the rest into its spec."""
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
    assert state(said)["terminated"]["exitCode"] == code
    assert said["status"]["phase"] == "Failed"
    assert events(cluster, pod, "Killing")[0]["message"] == "Stopping container job"
    finished(cluster, made)
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)
    cluster.wait_until_gone(f"pods/{pod}")


def test_hook_signals_every_process_but_the_first(cluster: Cluster) -> None:
    child = "trap 'echo child; exit' TERM; echo ready; while :; do sleep 0.1; done"
    script = f"trap 'sleep 0.3; exit 9' TERM; sh -c \"{child}\" & while :; do wait; done"
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "kill -TERM -1; sleep 60"]}}}
    made = make(cluster, script, container={"lifecycle": hook}, template={"finalizers": ["errand/outcome"]})
    pod = running(cluster, made)
    cluster.ask("DELETE", f"pods/{pod}?gracePeriodSeconds=20")
    said = cluster.wait_for(f"pods/{pod}", lambda item: "terminated" in state(item))
    assert state(said)["terminated"]["exitCode"] == 9
    assert "child" in cluster.ask("GET", f"pods/{pod}/log").text
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
        "args": ['echo "$TOKEN $BOTH $POD $one ${NONE-unset} $0"; cat /etc/app/file; ls -l /etc/app/file | cut -c1-10; '
                 "echo x > /scratch/x; id -u; pwd; echo why > /dev/termination-log", "$(TOKEN)"],
        "env": env, "envFrom": [{"configMapRef": {"name": config}}], "volumeMounts": mounts,
        "workingDir": "/some/where", "securityContext": {"runAsUser": 1000},
    }  # fmt: skip
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


def test_log_comes_in_lines_with_their_times(cluster: Cluster) -> None:
    script = r"printf '\000\377\r\n'; head -c 40000 /dev/zero | tr '\0' x; echo; echo three; printf rest"
    made = make(cluster, script)
    finished(cluster, made)
    pod = cluster.pod_of(made)["metadata"]["name"]
    plain = cluster.ask("GET", f"pods/{pod}/log").content
    assert plain == b"\0\xff\n" + b"x" * 40000 + b"\nthree\nrest"
    timed = cluster.ask("GET", f"pods/{pod}/log?timestamps=true").content.split(b"\n")
    assert [line.partition(b" ")[2] for line in timed] == plain.split(b"\n")
    stamps = [line.partition(b" ")[0].decode() for line in timed]
    assert stamps == sorted(stamps)
    assert all(len(stamp) == 30 and stamp.endswith("Z") for stamp in stamps)
    since = cluster.ask("GET", f"pods/{pod}/log?sinceTime={stamps[0][:19]}Z").content
    assert since == plain
    assert cluster.ask("GET", f"pods/{pod}/log?sinceTime=2100-01-01T00:00:00Z").content == b""
    assert cluster.ask("GET", f"pods/{pod}/log?tailLines=2").content == b"three\nrest"
    assert cluster.ask("GET", f"pods/{pod}/log?limitBytes=4").content == plain[:4]


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("previous=true", 400, 'previous terminated container "job" in pod "POD" not found'),
        (
            "tailLines=-1",
            422,
            'PodLogOptions "POD" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
        ),
        (
            "limitBytes=0",
            422,
            'PodLogOptions "POD" is invalid: limitBytes: Invalid value: 0: must be greater than 0',
        ),
        ("container=zz", 400, "container zz is not valid for pod POD"),
    ],
)
def test_log_that_cannot_be_had(cluster: Cluster, query: str, status: int, words: str) -> None:
    made = make(cluster)
    finished(cluster, made)
    pod = cluster.pod_of(made)["metadata"]["name"]
    answer = cluster.ask("GET", f"pods/{pod}/log?{query}")
    assert (answer.status_code, answer.json()["message"]) == (status, words.replace("POD", pod))


def test_watch_goes_on_from_a_version(cluster: Cluster) -> None:
    config = name()
    version = cluster.get("configmaps")["metadata"]["resourceVersion"]
    cluster.ask("POST", "configmaps", {"metadata": {"name": config, "labels": {"w": "1"}}})
    cluster.ask("PATCH", f"configmaps/{config}", {"data": {"a": "b"}}, headers=MERGE)
    cluster.ask("PATCH", f"configmaps/{config}", {"metadata": {"labels": {"w": "2"}}}, headers=MERGE)
    query = f"watch=1&resourceVersion={version}&timeoutSeconds=1&labelSelector=w%3D1&allowWatchBookmarks=true"
    lines = cluster.ask("GET", f"configmaps?{query}").text.splitlines()
    told = [json.loads(line) for line in lines]
    types = [item["type"] for item in told if item["type"] != "BOOKMARK"]
    assert types == ["ADDED", "MODIFIED", "DELETED"]
    assert told[0]["object"]["kind"] == "ConfigMap"


def test_list_comes_in_pages(cluster: Cluster) -> None:
    label = name()
    for _ in range(3):
        cluster.ask("POST", "configmaps", {"metadata": {"name": name(), "labels": {"p": label}}})
    first = cluster.get(f"configmaps?limit=2&labelSelector=p%3D{label}")
    assert len(first["items"]) == 2
    assert "kind" not in first["items"][0]
    rest = cluster.get(
        f"configmaps?limit=2&labelSelector=p%3D{label}&continue={first['metadata']['continue']}"
    )
    assert len(rest["items"]) == 1
    assert "continue" not in rest["metadata"]
    for selector, count in ((f"p%20in%20({label},x)", 3), ("!p,p", 0), (f"p!%3D{label},p", 0)):
        assert len(cluster.get(f"configmaps?labelSelector={selector}")["items"]) == count


def template(job_: dict[str, Any], **fields: Any) -> dict[str, Any]:
    job_["spec"]["template"]["spec"] |= fields
    return job_


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"metadata": {"name": "Bad_Name"}}, 422, 'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123'),
        ({"metadata": {"name": "a", "labels": {"x": "y z"}}}, 422, 'metadata.labels: Invalid value: "y z": a valid'),
        ({"metadata": {"name": "a", "labels": {"a b": "c"}}}, 422, 'metadata.labels: Invalid value: "a b": name part'),
        ({"metadata": {"name": "a", "finalizers": ["abc"]}}, 422, "name is neither a standard finalizer name nor is"),
        ({"metadata": {}}, 422, "metadata.name: Required value: name or generateName is required"),
        ({"metadata": {"name": "a" * 64}}, 422, "must be no more than 63 bytes"),
        ({"metadata": {"name": "a", "namespace": "other"}}, 400, "the namespace of the provided object does not"),
        ({"spec": {"foo": 1}}, 400, 'strict decoding error: unknown field "spec.foo"'),
        ({"spec": {"backoffLimit": "a"}}, 400, "cannot be handled as a Job: json: cannot unmarshal string into Go struct"),
        ({"spec": {"backoffLimit": -1}}, 422, "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0"),
        ({"spec": {"activeDeadlineSeconds": -1}}, 422, "must be greater than or equal to 0"),
        ({"kind": "Pod", "apiVersion": "v1"}, 400, "cannot be handled as a Job: converting (v1.Pod) to (batch.Job)"),
    ],
)  # fmt: skip
def test_job_that_is_refused(cluster: Cluster, change: dict[str, Any], status: int, words: str) -> None:
    body = job(cluster)
    spec = body["spec"] | change.pop("spec", {})
    answer = cluster.ask("POST", "jobs?fieldValidation=Strict", body | {"spec": spec} | change)
    said = answer.json()
    assert answer.status_code == said["code"] == status, said
    assert words in said["message"]
    assert (said["kind"], said["status"]) == ("Status", "Failure")
    assert said["reason"] == {400: "BadRequest", 422: "Invalid"}[status]


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"name": "A_B"}, 'spec.template.spec.containers[0].name: Invalid value: "A_B": a lowercase RFC 1123 label'),
        ({"image": ""}, "spec.template.spec.containers[0].image: Required value"),
        ({"imagePullPolicy": "No"}, 'imagePullPolicy: Unsupported value: "No": supported values: '),
        ({"volumeMounts": [{"name": "no", "mountPath": "/x"}]}, 'volumeMounts[0].name: Not found: "no"'),
        ({"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "../a"}]}, "must not contain '..'"),
        ({"env": [{"name": "A=B", "value": "x"}]}, 'env[0].name: Invalid value: "A=B": a valid environment variable'),
        ({"env": [{"name": "", "value": "x"}]}, "env[0].name: Required value"),
        ({"resources": {"limits": {"cpu": "-1"}}}, "must be greater than or equal to 0"),
        ({"resources": {"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}},
         "must be less than or equal to memory limit of 1Mi"),
        ({"resources": {"limits": {"gpus": "1"}}}, "must be a standard resource"),
    ],
)  # fmt: skip
def test_container_that_is_refused(cluster: Cluster, container: dict[str, Any], words: str) -> None:
    body = job(cluster, container=container, pod={"volumes": [{"name": "v", "emptyDir": {}}]})
    answer = cluster.ask("POST", "jobs?fieldValidation=Strict", body)
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["message"]
    assert answer.json()["details"]["causes"]


def test_quantity_that_is_none(cluster: Cluster) -> None:
    body = job(cluster, container={"resources": {"limits": {"memory": "much"}}})
    answer = cluster.ask("POST", "jobs", body)
    assert answer.status_code == 400
    assert "quantities must match the regular expression" in answer.json()["message"]


def test_pod_specs_that_are_refused(cluster: Cluster) -> None:
    for change, words in (
        ({"restartPolicy": "Always"}, 'restartPolicy: Required value: valid values: "OnFailure", "Never"'),
        ({"terminationGracePeriodSeconds": -1}, "terminationGracePeriodSeconds: Invalid value: -1"),
        ({"volumes": [{"name": "v", "secret": {}}]}, "secret.secretName: Required value"),
        ({"volumes": [{"name": "v", "emptyDir": {}}] * 2}, 'volumes[1].name: Duplicate value: "v"'),
        ({"containers": []}, "spec.template.spec.containers: Required value"),
    ):
        answer = cluster.ask("POST", "jobs", job(cluster, pod=change))
        assert answer.status_code == 422, answer.text
        assert words in answer.json()["message"]


def test_requests_that_are_refused(cluster: Cluster) -> None:
    made = make(cluster, suspend=True)
    here = f"jobs/{made}"
    label = "application/json"
    asked: list[tuple[tuple[Any, ...], dict[str, Any], int, str, str]] = [
        (("POST", "jobs", job(cluster) | {"metadata": {"name": made}}), {}, 409, "AlreadyExists", f'jobs.batch "{made}" already exists'),
        (("GET", "jobs/nope"), {}, 404, "NotFound", 'jobs.batch "nope" not found'),
        (("DELETE", "secrets/nope"), {}, 404, "NotFound", 'secrets "nope" not found'),
        (("GET", "/apis/batch/v1/namespaces/x/nope"), {}, 404, "NotFound", "the server could not find the requested resource"),
        (("POST", "/apis/batch/v1/namespaces/no-such/jobs", job(cluster)), {}, 404, "NotFound", 'namespaces "no-such" not found'),
        (("PATCH", here, {}), {"headers": {"Content-Type": label}}, 415, "UnsupportedMediaType", "415: Unsupported Media Type"),
        (("PATCH", here, {"metadata": {"resourceVersion": "1"}}), {"headers": MERGE}, 409, "Conflict",
         f'Operation cannot be fulfilled on jobs.batch "{made}": the object has been modified'),
        (("PATCH", here, {"spec": {"completions": 4}}), {"headers": MERGE}, 422, "Invalid",
         f'Job.batch "{made}" is invalid: spec.completions: Invalid value: 4: field is immutable'),
        (("PATCH", here, {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}), {"headers": STRATEGIC}, 422, "Invalid",
         "field is immutable"),
        (("PATCH", here, [{"op": "test", "path": "/metadata/name", "value": "z"}]), {"headers": STEPS}, 422, "Invalid",
         "the server rejected our request due to an error in our request"),
        (("PATCH", here, [{"op": "remove", "path": "/metadata/annotations/x"}]), {"headers": STEPS}, 422, "Invalid",
         "the server rejected our request due to an error in our request"),
        (("GET", "jobs?fieldSelector=spec.foo%3D1"), {}, 400, "BadRequest", 'field label "spec.foo" not supported for Job'),
        (("GET", "jobs?labelSelector=a%3D%3D%3Db"), {}, 400, "BadRequest", "unable to parse requirement: found '=', expected: "),
        (("GET", "jobs?limit=abc"), {}, 400, "BadRequest", 'strconv.ParseInt: parsing "abc": invalid syntax'),
        (("GET", "jobs?resourceVersion=999999999999"), {}, 504, "Timeout", "Timeout: Too large resource version: "),
        (("DELETE", here, {"preconditions": {"uid": "x"}}), {}, 409, "Conflict", "the UID in the precondition (x) does not"),
        (("PATCH", here, {"metadata": {"uid": "x"}}), {"headers": MERGE}, 409, "Conflict", "Precondition failed: UID in precondition: x"),
    ]  # fmt: skip
    for words, more, status, reason, message in asked:
        answer = cluster.ask(*words, **more)
        said = answer.json()
        assert (answer.status_code, said.get("reason")) == (status, reason), (words, said)
        assert message in said["message"], words
    cluster.ask("DELETE", f"{here}?propagationPolicy=Background")


def test_patches_of_each_kind(cluster: Cluster) -> None:
    config = name()
    cluster.ask("POST", "configmaps", {"metadata": {"name": config, "labels": {"a": "1", "b": "2"}}})
    here = f"configmaps/{config}"
    cluster.ask("PATCH", here, {"metadata": {"labels": {"a": None, "c": "3"}}}, headers=MERGE)
    cluster.ask("PATCH", here, {"metadata": {"finalizers": ["errand/x"]}}, headers=STRATEGIC)
    cluster.ask("PATCH", here, {"metadata": {"finalizers": ["errand/y"]}}, headers=STRATEGIC)
    step = [{"op": "add", "path": "/metadata/annotations", "value": {"errand/n": "v"}}]
    said = cluster.ask("PATCH", here, step, headers=STEPS).json()["metadata"]
    assert said["labels"] == {"b": "2", "c": "3"}
    assert sorted(said["finalizers"]) == ["errand/x", "errand/y"]
    assert said["annotations"] == {"errand/n": "v"}
    kept = cluster.ask("DELETE", here).json()
    assert kept["metadata"]["deletionGracePeriodSeconds"] == 0
    refused = cluster.ask("PATCH", here, {"metadata": {"finalizers": ["errand/z"]}}, headers=MERGE)
    assert refused.status_code == 422
    assert "no new finalizers can be added if the object is being deleted" in refused.json()["message"]
    cluster.ask("PATCH", here, {"metadata": {"finalizers": None}}, headers=MERGE)
    assert cluster.ask("GET", here).status_code == 404


def test_quota_lets_a_job_wait_and_says_why(cluster: Cluster) -> None:
    quota = name()
    body = {"metadata": {"name": quota}, "spec": {"hard": {"requests.example.com/thing": "0"}}}
    cluster.ask("POST", "resourcequotas", body)
    things = {"resources": {"limits": {"example.com/thing": "1"}}}
    cluster.wait_for(f"resourcequotas/{quota}", lambda item: cluster.server or item["status"].get("hard"))
    made = make(cluster, container=things)
    message = events(cluster, made, "FailedCreate")[0]["message"]
    cluster.ask("DELETE", f"jobs/{made}?propagationPolicy=Background")
    cluster.ask("DELETE", f"resourcequotas/{quota}")
    assert message.startswith("Error creating: pods ")
    assert "is forbidden: exceeded quota: " in message
    assert message.endswith("limited: requests.example.com/thing=0")


def test_service_account_that_is_missing(cluster: Cluster) -> None:
    made = make(cluster, pod={"serviceAccountName": "nobody"})
    message = events(cluster, made, "FailedCreate")[0]["message"]
    cluster.ask("DELETE", f"jobs/{made}?propagationPolicy=Background")
    assert (
        f'error looking up service account {cluster.namespace}/nobody: serviceaccount "nobody" not found'
        in message
    )


def test_access_review_says_what_one_may(cluster: Cluster) -> None:
    asked = {"namespace": cluster.namespace, "verb": "create", "group": "batch", "resource": "jobs"}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    said = cluster.ask("POST", path, {"spec": {"resourceAttributes": asked}})
    assert said.status_code == 201
    assert said.json()["status"]["allowed"] is True
