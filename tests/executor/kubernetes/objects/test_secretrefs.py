"""Which Secrets a pod can read, wherever its spec names them."""

from typing import Any

import pytest

from executor.kubernetes.objects.secretrefs import SecretRef, secret_refs


def spec(volume: dict[str, Any], mounts: str = "it") -> dict[str, Any]:
    container = {"name": "job", "volumeMounts": [{"name": mounts, "mountPath": "/run/secrets"}]}
    return {"containers": [container], "volumes": [{"name": "it", **volume}]}


@pytest.mark.parametrize(
    ("volume", "refs"),
    [
        ({"secret": {"secretName": "tls"}}, [SecretRef("tls", None)]),
        (
            {"secret": {"secretName": "tls", "items": [{"key": "tls.key", "path": "key"}], "optional": True}},
            [SecretRef("tls", "tls.key", optional=True)],
        ),
        (
            {
                "projected": {
                    "sources": [
                        {"secret": {"name": "a"}},
                        {"configMap": {"name": "no"}},
                        {"secret": {"name": "b", "items": [{"key": "k", "path": "p"}]}},
                        {"serviceAccountToken": {"path": "token"}},
                    ]
                }
            },
            [SecretRef("a", None), SecretRef("b", "k")],
        ),
        ({"configMap": {"name": "tls"}}, []),
        # These the node reads, to mount what the container then sees.
        ({"csi": {"driver": "nfs", "nodePublishSecretRef": {"name": "share"}}}, []),
        ({"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}, []),
        ({"secret": None, "emptyDir": {}}, []),
    ],
)
def test_a_secret_in_a_volume_can_be_read(volume: dict[str, Any], refs: list[SecretRef]) -> None:
    assert list(secret_refs(spec(volume))) == refs


def test_what_no_container_mounts_cannot_be_read() -> None:
    assert not secret_refs(spec({"secret": {"secretName": "tls"}}, mounts="other"))


def test_every_container_counts_and_each_secret_once() -> None:
    source = {"secretKeyRef": {"name": "db", "key": "url"}}
    one = {"env": [{"name": "A", "valueFrom": source}, {"name": "B", "valueFrom": source}]}
    other = {"envFrom": [{"secretRef": {"name": "all", "optional": True}}, {"configMapRef": {"name": "no"}}]}
    assert list(secret_refs({"initContainers": [one], "containers": [other]})) == [
        SecretRef("db", "url"),
        SecretRef("all", None, optional=True),
    ]


def test_a_part_of_a_spec_may_have_nothing() -> None:
    assert secret_refs({}) == secret_refs({"containers": [{"name": "job"}], "volumes": None}) == ()
