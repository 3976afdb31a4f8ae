"""What is applied is what the official client knows, passes "restricted", and fits together."""

from pathlib import PurePosixPath
from typing import Any

import pytest
from kubernetes.client import ApiClient, models

from executor.kubernetes.installing.access import Object, Uses, rules
from executor.kubernetes.installing.installation import Bot, objects
from executor.kubernetes.settings import Settings
from executor.spec import Live

SETTINGS = Settings(namespace="jobs", installation="one")
SMALL = Bot(namespace="errand", image="errand:1", config="url: https://x\n")
LARGE = Bot(
    namespace="errand",
    image="registry.example.com/errand@sha256:1",
    config="a",
    replicas=3,
    variables={"GITHUB_TOKEN": True, "HOST": False},
    directories=(PurePosixPath("/srv/logs"),),
    ports=(443, 5432),
    storage="50Gi",
)
USES = Uses((Live("deployment/web", "prod"),), {"jobs": frozenset({"shop-db"})})


def made(bot: Bot, uses: Uses = USES) -> dict[tuple[str, str, str], Object]:
    """By kind, namespace and name."""
    found = [one for _, one in objects(bot, rules(SETTINGS, uses))]
    by_name = {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in found}
    assert len(by_name) == len(found)
    return by_name


@pytest.mark.parametrize("bot", [SMALL, LARGE], ids=["small", "large"])
def test_official_models_lose_nothing_of_it(bot: Bot) -> None:
    for (kind, _, name), one in made(bot).items():
        model: Any = getattr(models, f"V1{kind}")
        assert ApiClient().sanitize_for_serialization(model.from_dict(one)) == one, (kind, name)


@pytest.mark.parametrize("bot", [SMALL, LARGE], ids=["small", "large"])
def test_bot_passes_restricted_and_writes_only_where_it_may(bot: Bot) -> None:
    pod = made(bot)["Deployment", "errand", "errand"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes


def test_what_selects_the_bot_selects_no_run() -> None:
    found = made(LARGE)
    deployment = found["Deployment", "errand", "errand"]["spec"]
    selector = deployment["selector"]["matchLabels"]
    labels = deployment["template"]["metadata"]["labels"]
    assert selector.items() <= labels.items()
    assert "app.kubernetes.io/managed-by" not in labels
    assert found["Service", "errand", "errand"]["spec"]["selector"] == selector
    assert found["PodDisruptionBudget", "errand", "errand"]["spec"]["selector"]["matchLabels"] == selector
    assert found["NetworkPolicy", "errand", "errand"]["spec"]["podSelector"]["matchLabels"] == selector
    closed = found["NetworkPolicy", "jobs", "errand-runs"]["spec"]
    assert closed["podSelector"]["matchLabels"] == {"app.kubernetes.io/managed-by": "errand"}
    assert "ingress" not in closed


def test_bot_has_its_rights_wherever_runs_are_and_nowhere_else() -> None:
    found = made(LARGE)
    for namespace in ("jobs", "prod"):
        binding = found["RoleBinding", namespace, "errand"]
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "errand", "namespace": "errand"}]
        assert found["Role", namespace, "errand"]["rules"]
    assert ("Role", "errand", "errand") not in found
    assert not any(kind.startswith("Cluster") for kind, _, _ in found)


def test_one_bot_has_its_volume_for_itself_and_several_share_it() -> None:
    one, several = made(SMALL), made(LARGE)
    assert one["Deployment", "errand", "errand"]["spec"]["strategy"] == {"type": "Recreate"}
    assert one["PersistentVolumeClaim", "errand", "errand"]["spec"]["accessModes"] == ["ReadWriteOnce"]
    volume = several["PersistentVolumeClaim", "errand", "errand"]["spec"]
    assert volume["accessModes"] == ["ReadWriteMany"]
    assert volume["resources"]["requests"]["storage"] == "50Gi"
    assert several["Deployment", "errand", "errand"]["spec"]["replicas"] == 3


def test_update_of_several_misses_none_and_says_so() -> None:
    strategy = made(LARGE)["Deployment", "errand", "errand"]["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    [sentence] = [sentence for sentence, made in objects(LARGE, []) if made["kind"] == "Deployment"]
    assert "before it ends one of the old" in sentence


def test_variables_come_from_the_secret_and_directories_last() -> None:
    (container,) = made(LARGE)["Deployment", "errand", "errand"]["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "GITHUB_TOKEN", "valueFrom": {"secretKeyRef": {"name": "errand", "key": "GITHUB_TOKEN"}}},
        {
            "name": "HOST",
            "valueFrom": {"secretKeyRef": {"name": "errand", "key": "HOST", "optional": True}},
        },
    ]
    assert {"name": "data", "mountPath": "/srv/logs", "subPath": "directory-1"} in container["volumeMounts"]


def test_another_configuration_is_rolled_out() -> None:
    def digest(bot: Bot) -> str:
        template = made(bot)["Deployment", "errand", "errand"]["spec"]["template"]
        return str(template["metadata"]["annotations"]["errand/config"])

    assert digest(SMALL) != digest(LARGE)


def test_network_is_open_to_what_is_asked_and_no_more() -> None:
    policy = made(LARGE)["NetworkPolicy", "errand", "errand"]["spec"]
    (ingress,), (egress,) = policy["ingress"], policy["egress"]
    assert ingress["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert [port["port"] for port in egress["ports"]] == [53, 53, 443, 5432]
