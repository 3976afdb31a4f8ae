"""What a server refuses, the real one or ours: see `test_server.py`."""

from typing import Any

import pytest

from tests.kubernetes.asking import MERGE, STEPS, STRATEGIC, job, make
from tests.kubernetes.cluster import Cluster

pytestmark = pytest.mark.kubernetes


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        (
            {"metadata": {"name": "Bad_Name"}},
            422,
            'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123',
        ),
        (
            {"metadata": {"name": "a", "labels": {"x": "y z"}}},
            422,
            'metadata.labels: Invalid value: "y z": a valid',
        ),
        (
            {"metadata": {"name": "a", "labels": {"a b": "c"}}},
            422,
            'metadata.labels: Invalid value: "a b": name part',
        ),
        (
            {"metadata": {"name": "a", "finalizers": ["abc"]}},
            422,
            "name is neither a standard finalizer name nor is",
        ),
        ({"metadata": {}}, 422, "metadata.name: Required value: name or generateName is required"),
        ({"metadata": {"name": "a" * 64}}, 422, "must be no more than 63 bytes"),
        (
            {"metadata": {"name": "a", "namespace": "other"}},
            400,
            "the namespace of the provided object does not",
        ),
        ({"spec": {"foo": 1}}, 400, 'strict decoding error: unknown field "spec.foo"'),
        (
            {"spec": {"backoffLimit": "a"}},
            400,
            "cannot be handled as a Job: json: cannot unmarshal string into Go struct",
        ),
        (
            {"spec": {"backoffLimit": -1}},
            422,
            "spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0",
        ),
        ({"spec": {"activeDeadlineSeconds": -1}}, 422, "must be greater than or equal to 0"),
        (
            {"kind": "Pod", "apiVersion": "v1"},
            400,
            "cannot be handled as a Job: converting (v1.Pod) to (batch.Job)",
        ),
    ],
)
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
        (
            {"name": "A_B"},
            'spec.template.spec.containers[0].name: Invalid value: "A_B": a lowercase RFC 1123 label',
        ),
        ({"image": ""}, "spec.template.spec.containers[0].image: Required value"),
        ({"imagePullPolicy": "No"}, 'imagePullPolicy: Unsupported value: "No": supported values: '),
        ({"volumeMounts": [{"name": "no", "mountPath": "/x"}]}, 'volumeMounts[0].name: Not found: "no"'),
        ({"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "../a"}]}, "must not contain '..'"),
        (
            {"env": [{"name": "A=B", "value": "x"}]},
            'env[0].name: Invalid value: "A=B": a valid environment variable',
        ),
        ({"env": [{"name": "", "value": "x"}]}, "env[0].name: Required value"),
        ({"resources": {"limits": {"cpu": "-1"}}}, "must be greater than or equal to 0"),
        (
            {"resources": {"limits": {"memory": "1Mi"}, "requests": {"memory": "2Mi"}}},
            "must be less than or equal to memory limit of 1Mi",
        ),
        ({"resources": {"limits": {"gpus": "1"}}}, "must be a standard resource"),
    ],
)
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
        (
            ("POST", "jobs", job(cluster) | {"metadata": {"name": made}}),
            {},
            409,
            "AlreadyExists",
            f'jobs.batch "{made}" already exists',
        ),
        (("GET", "jobs/nope"), {}, 404, "NotFound", 'jobs.batch "nope" not found'),
        (("DELETE", "secrets/nope"), {}, 404, "NotFound", 'secrets "nope" not found'),
        (
            ("GET", "/apis/batch/v1/namespaces/x/nope"),
            {},
            404,
            "NotFound",
            "the server could not find the requested resource",
        ),
        (
            ("POST", "/apis/batch/v1/namespaces/no-such/jobs", job(cluster)),
            {},
            404,
            "NotFound",
            'namespaces "no-such" not found',
        ),
        (
            ("PATCH", here, {}),
            {"headers": {"Content-Type": label}},
            415,
            "UnsupportedMediaType",
            "415: Unsupported Media Type",
        ),
        (
            ("PATCH", here, {"metadata": {"resourceVersion": "1"}}),
            {"headers": MERGE},
            409,
            "Conflict",
            f'Operation cannot be fulfilled on jobs.batch "{made}": the object has been modified',
        ),
        (
            ("PATCH", here, {"spec": {"completions": 4}}),
            {"headers": MERGE},
            422,
            "Invalid",
            f'Job.batch "{made}" is invalid: spec.completions: Invalid value: 4: field is immutable',
        ),
        (
            ("PATCH", here, {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}),
            {"headers": STRATEGIC},
            422,
            "Invalid",
            "field is immutable",
        ),
        (
            ("PATCH", here, [{"op": "test", "path": "/metadata/name", "value": "z"}]),
            {"headers": STEPS},
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ),
        (
            ("PATCH", here, [{"op": "remove", "path": "/metadata/annotations/x"}]),
            {"headers": STEPS},
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ),
        (
            ("GET", "jobs?fieldSelector=spec.foo%3D1"),
            {},
            400,
            "BadRequest",
            'field label "spec.foo" not supported for Job',
        ),
        (
            ("GET", "jobs?labelSelector=a%3D%3D%3Db"),
            {},
            400,
            "BadRequest",
            "unable to parse requirement: found '=', expected: ",
        ),
        (("GET", "jobs?limit=abc"), {}, 400, "BadRequest", 'strconv.ParseInt: parsing "abc": invalid syntax'),
        (
            ("GET", "jobs?resourceVersion=999999999999"),
            {},
            504,
            "Timeout",
            "Timeout: Too large resource version: ",
        ),
        (
            ("DELETE", here, {"preconditions": {"uid": "x"}}),
            {},
            409,
            "Conflict",
            "the UID in the precondition (x) does not",
        ),
        (
            ("PATCH", here, {"metadata": {"uid": "x"}}),
            {"headers": MERGE},
            422,
            "Invalid",
            'metadata.uid: Invalid value: "x": field is immutable',
        ),
    ]
    for words, more, status, reason, message in asked:
        answer = cluster.ask(*words, **more)
        said = answer.json()
        assert (answer.status_code, said.get("reason")) == (status, reason), (words, said)
        assert message in said["message"], words
    cluster.ask("DELETE", f"{here}?propagationPolicy=Background")
