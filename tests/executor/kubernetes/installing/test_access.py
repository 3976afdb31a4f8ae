"""The rights that are used are said once, and are no more than what an installation needs."""

from dataclasses import replace

import pytest

from executor.kubernetes.installing.access import WORKLOADS, Rule, Uses, role_rules, rules
from executor.kubernetes.resources import JOBS, PODS, SECRETS
from executor.kubernetes.settings import Builder, Settings
from executor.spec import Live

SETTINGS = Settings(namespace="jobs", installation="one")


def of(found: tuple[Rule, ...], target: str, namespace: str = "jobs") -> list[Rule]:
    return [rule for rule in found if rule.target == target and rule.namespace == namespace]


def test_an_installation_without_live_images_has_rights_in_one_namespace_only() -> None:
    assert {rule.namespace for rule in rules(SETTINGS, Uses())} == {"jobs"}


def test_no_right_is_on_everything_and_none_is_doubled() -> None:
    lives = (Live("deployment/web", "prod"), Live("deployment/web", "prod", "app"), Live("pod/x"))
    found = rules(SETTINGS, Uses(lives, {"jobs": frozenset({"a", "b"})}))
    for rule in role_rules(found):
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
    assert len(set(found)) == len(found)
    assert len(of(found, "deployments", "prod")) == 1


def test_secrets_are_read_by_name_only_and_never_listed() -> None:
    found = of(
        rules(SETTINGS, Uses(secrets={"jobs": frozenset({"b", "a"}), "prod": frozenset({"c"})})), "secrets"
    )
    assert [rule.names for rule in found if "get" in rule.verbs] == [("a", "b")]
    assert not any({"list", "watch"} & set(rule.verbs) for rule in found)


def test_credentials_of_registries_are_read_where_the_file_names_them() -> None:
    settings = replace(
        SETTINGS,
        service_account="runner",
        pod={"imagePullSecrets": [{"name": "pull"}]},
        builder=Builder(registry_secret="push"),
    )
    found = rules(settings, Uses((Live("pod/x", "prod"),)))
    assert [rule.names for rule in of(found, "secrets") if rule.verbs == ("get",)] == [("pull", "push")]
    assert [rule.names for rule in of(found, "serviceaccounts")] == [("runner",)]
    assert not of(found, "serviceaccounts", "prod")
    assert not any(rule.verbs == ("get",) for rule in of(found, "secrets", "prod"))


def test_secrets_of_the_configured_pod_are_read_wherever_it_is_merged() -> None:
    mount = {"name": "job", "volumeMounts": [{"name": "ca", "mountPath": "/ca"}]}
    pod = {"containers": [mount], "volumes": [{"name": "ca", "secret": {"secretName": "ca"}}]}
    source = {"containers": [{"name": "job", "envFrom": [{"secretRef": {"name": "proxy"}}]}]}
    settings = replace(SETTINGS, pod=pod, builder=Builder(pod=source))
    found = rules(settings, Uses((Live("pod/x", "prod"),)))
    assert of(found, "secrets")[1].names == ("ca", "proxy")
    assert of(found, "secrets", "prod")[1].names == ("ca",)


def test_a_live_image_adds_its_namespace_and_its_workload() -> None:
    found = rules(SETTINGS, Uses((Live("statefulset/db", "prod"),), {"prod": frozenset({"db-auth"})}))
    (workload,) = of(found, "statefulsets", "prod")
    assert (workload.verbs, workload.names) == (("get",), ("db",))
    assert [rule.names for rule in of(found, "secrets", "prod") if rule.verbs == ("get",)] == [("db-auth",)]
    assert of(found, "jobs", "prod")[0].verbs == of(found, "jobs")[0].verbs


@pytest.mark.parametrize("kind", WORKLOADS)
def test_every_kind_of_workload_can_be_read(kind: str) -> None:
    found = rules(SETTINGS, Uses((Live(f"{kind}/web"),)))
    assert any("get" in rule.verbs for rule in of(found, WORKLOADS[kind].plural))


def test_role_has_groups_parts_and_names_as_rbac_writes_them() -> None:
    made = role_rules(
        [
            Rule("jobs", JOBS, ("create", "get"), "x"),
            Rule("jobs", PODS, ("get",), "x", part="log"),
            Rule("jobs", SECRETS, ("get",), "x", names=("a",)),
        ]
    )
    assert made == [
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], "resourceNames": ["a"]},
    ]


def test_a_right_says_itself_in_one_line() -> None:
    assert str(Rule("jobs", SECRETS, ("get",), "x", names=("a", "b"))) == "get secrets a, b"
    assert str(Rule("jobs", PODS, ("get",), "x", part="log")) == "get pods/log"
