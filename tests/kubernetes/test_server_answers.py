"""What a server answers to questions, the real one or ours: see `test_server.py`."""

import json
import time

import pytest

from tests.kubernetes.asking import MERGE, STEPS, STRATEGIC, events, finished, make, name, running
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes


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
            'PodLogOptions "POD" is invalid: tailLines: Invalid value: -1: '
            "must be greater than or equal to 0",
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


def test_node_keeps_what_never_changes_as_long_as_a_pod_refers_to_it(cluster: Cluster) -> None:
    config = name()

    def make_anew(value: str) -> None:
        cluster.ask("DELETE", f"configmaps/{config}")
        body = {"metadata": {"name": config}, "immutable": True, "data": {"word": value}}
        assert cluster.ask("POST", "configmaps", body).is_success

    env = [{"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": config, "key": "word"}}}]
    brief = {"terminationGracePeriodSeconds": 1}
    make_anew("one")
    first = make(cluster, "echo $WORD; sleep 60", container={"env": env}, pod=brief)
    running(cluster, first, "one")
    make_anew("two")
    second = make(cluster, "echo $WORD; sleep 60", container={"env": env}, pod=brief)
    running(cluster, second, "one")
    for made in (first, second):
        cluster.ask("DELETE", f"jobs/{made}?propagationPolicy=Background")
    until = time.monotonic() + 60.0
    word = "one"
    while word == "one":  # a node needs a moment to forget
        assert time.monotonic() < until
        third = make(cluster, "echo $WORD", container={"env": env})
        finished(cluster, third)
        word = cluster.ask("GET", f"pods/{cluster.pod_of(third)['metadata']['name']}/log").text.strip()
    assert word == "two"


def test_evicted_pod_says_so_and_is_deleted(cluster: Cluster) -> None:
    pod = running(cluster, make(cluster, "echo ready; sleep 60", template={"finalizers": ["errand/x"]}))
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    assert cluster.ask("POST", f"pods/{pod}/eviction", body | {"kind": "Pod"}).status_code == 400
    assert cluster.ask("GET", f"pods/{pod}/eviction").status_code == 405
    body["deleteOptions"] = {"gracePeriodSeconds": 1}
    assert cluster.ask("POST", f"pods/{pod}/eviction", body).status_code == 201
    said = cluster.wait_for(f"pods/{pod}", lambda item: item["status"]["phase"] == "Failed")
    reasons = {one["type"]: one.get("reason") for one in said["status"]["conditions"]}
    assert reasons["DisruptionTarget"] == "EvictionByEvictionAPI"
    assert "deletionTimestamp" in said["metadata"]
    cluster.ask("PATCH", f"pods/{pod}", {"metadata": {"finalizers": None}}, headers=MERGE)
