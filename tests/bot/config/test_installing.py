"""What `errand manifest kubernetes` makes of the file: complete, without a secret, and needing none."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.config import load
from bot.config.installing import InstallationRequest, manifest, uses_of
from bot.errors import ConfigError, Refused
from executor.spec import Live
from tests.changing import content, merged

WANTED = InstallationRequest(namespace="errand", image="errand:1", replicas=1, storage="10Gi")
SEVERAL = InstallationRequest(namespace="errand", image="errand:1", replicas=2, storage="10Gi")
FILE = """\
url: https://errand.example.com
database: ${DATABASE_URL}
logs: {directory: /srv/logs}
github:
  app_id: ${GITHUB_APP_ID}
  private_key: ${GITHUB_PRIVATE_KEY}
  webhook_secret: ["${GITHUB_WEBHOOK_SECRET}"]
  api_url: https://github.example.com:8443/api/v3
slack: {bot_token: "${SLACK_BOT_TOKEN}", signing_secret: "${SLACK_SIGNING_SECRET}"}
engine: {kind: kubernetes, kubernetes: {namespace: "${RUNS:-runs}"}}
images:
  shop: {build: {repository: acme/shop, secrets: [NPM_TOKEN]}, push: ghcr.io/acme/shop}
  live: {workload: deployment/web, namespace: prod}
jobs:
  a: {image: shop, command: "echo ${NOT_REPLACED}", env: {A: {secret: shop-db, key: url}, B: "x${TOKEN}"}}
  b: {image: live, command: x, env: {A: {secret: web-db, key: url}, C: {configmap: c, key: k}}}
"""
ENVIRON = {"GITHUB_APP_ID": "1"}


def made(file: Path, text: str = FILE, wanted: InstallationRequest = WANTED, **environ: str) -> str:
    file.write_text(text)
    return manifest(file, ENVIRON | environ, wanted)


def parsed(text: str) -> dict[tuple[str, str], Any]:
    reader = YAML(typ="safe", pure=True)
    found = [one for one in reader.load_all(text) if one]
    return {(one["kind"], one["metadata"]["namespace"]): one for one in found}


def container(text: str) -> Any:
    return parsed(text)["Deployment", "errand"]["spec"]["template"]["spec"]["containers"][0]


def test_file_stands_in_the_configmap_as_it_is_written(file: Path) -> None:
    assert parsed(made(file))["ConfigMap", "errand"]["data"] == {"app.yaml": FILE}


def test_every_variable_that_the_file_takes_comes_from_the_secret(file: Path) -> None:
    variables = container(made(file))["env"]
    assert [one["name"] for one in variables] == [
        "DATABASE_URL",
        "GITHUB_APP_ID",
        "GITHUB_PRIVATE_KEY",
        "GITHUB_WEBHOOK_SECRET",
        "NPM_TOKEN",
        "RUNS",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "TOKEN",
    ]
    optional = [one["name"] for one in variables if one["valueFrom"]["secretKeyRef"].get("optional")]
    assert optional == ["RUNS"]


def test_no_secret_is_needed_and_none_is_printed(file: Path) -> None:
    text = made(file, DATABASE_URL="postgresql://u:hunter22@db.example.com:6432/errand", TOKEN="t0ken-value")
    assert "hunter22" not in text
    assert "t0ken-value" not in text
    heading = text.split("---")[0]
    assert "kubectl create secret generic errand --namespace=errand" in heading
    assert "--from-literal=GITHUB_PRIVATE_KEY=..." in heading
    assert "RUNS=" not in heading
    assert "create namespace errand" in heading
    assert "create namespace runs" in heading


def test_network_is_open_to_what_the_file_names(file: Path) -> None:
    def ports(text: str) -> list[int]:
        policies = [one for one in YAML(typ="safe", pure=True).load_all(text) if one]
        (egress,) = next(
            one for one in policies if one["metadata"]["name"] == "errand" and "egress" in str(one)
        )["spec"]["egress"]
        return [port["port"] for port in egress["ports"]]

    assert ports(made(file)) == [53, 53, 443, 6443, 5432, 8443]
    assert ports(made(file, DATABASE_URL="postgresql://db.example.com:6432/errand"))[4] == 6432
    tools = {"tools": {"reference": "registry.infra.svc:5000/tools"}, "hub": {"reference": "redis"}}
    cluster = {"namespace": "${RUNS:-runs}", "registries": {"mirror.infra.svc": {"http": True}}}
    text = merged(
        FILE,
        images=content(FILE)["images"] | tools,
        engine={"kind": "kubernetes", "kubernetes": cluster},
    )
    assert ports(made(file, text))[6:] == [5000, 80]


def test_rights_are_for_the_secrets_and_workloads_of_the_file(file: Path) -> None:
    file.write_text(merged(FILE, database="sqlite:///errand.db"))
    names = (
        "GITHUB_PRIVATE_KEY",
        "GITHUB_WEBHOOK_SECRET",
        "NPM_TOKEN",
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
    )
    key = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"
    uses = uses_of(
        load(
            file,
            dict.fromkeys((*names, "TOKEN", "GITHUB_APP_ID"), "1")
            | {names[0]: key, "SLACK_BOT_TOKEN": "xoxb-1"},
        )
    )
    assert uses.lives == (Live("deployment/web", "prod"),)
    assert uses.secrets == {"runs": frozenset({"shop-db"}), "prod": frozenset({"web-db"})}
    rules = parsed(made(file))["Role", "prod"]["rules"]
    assert [rule["resourceNames"] for rule in rules if "resourceNames" in rule] == [["web-db"], ["web"]]


def test_further_secrets_may_be_read_if_they_are_named(file: Path) -> None:
    wanted = replace(WANTED, secrets=("prod/web-env", "runs/of-api"))
    found = {
        namespace: [rule["resourceNames"] for rule in role["rules"] if _reads_secrets(rule)]
        for (kind, namespace), role in parsed(made(file, wanted=wanted)).items()
        if kind == "Role"
    }
    assert found == {"runs": [["of-api", "shop-db"]], "prod": [["web-db", "web-env"]]}


def _reads_secrets(rule: dict[str, Any]) -> bool:
    return (rule["resources"], rule["verbs"]) == (["secrets"], ["get"])


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            replace(WANTED, secrets=("web-env",)),
            "--secret: expected NAMESPACE/NAME, such as prod/shop-env, not",
        ),
        (replace(WANTED, secrets=("prod/A",)), "--secret: expected NAMESPACE/NAME"),
        (replace(WANTED, namespace="a.b"), "--namespace: expected the name of a namespace"),
        (replace(WANTED, image="Errand 1"), "--image: expected an image such as"),
        (replace(WANTED, storage="much"), "--storage: expected a size such as 10Gi"),
    ],
)
def test_what_no_cluster_takes_is_refused(file: Path, wanted: InstallationRequest, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        made(file, wanted=wanted)


def test_what_lies_outside_of_the_volume_is_on_it_all_the_same(file: Path) -> None:
    text = merged(FILE, database="sqlite:////data/errand.db")
    mounts = {one["mountPath"]: one.get("subPath") for one in container(made(file, text))["volumeMounts"]}
    assert (mounts["/srv/logs"], mounts["/data"]) == ("directory-1", "directory-2")
    text = merged(FILE, database="sqlite:////var/lib/errand/errand.db", logs={"directory": "var/logs"})
    assert not any("subPath" in one for one in container(made(file, text))["volumeMounts"])


def test_several_bots_need_a_database_that_serves_them(file: Path) -> None:
    assert "replicas: 2" in made(file, wanted=SEVERAL)
    with pytest.raises(Refused, match="more than one bot needs PostgreSQL; database is SQLite"):
        made(file, merged(FILE, database="sqlite:///errand.db"), SEVERAL)


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        (
            "${GITHUB_PRIVATE_KEY}",
            "-----BEGIN",
            "6:16: github.private_key: holds its secret itself, and this",
        ),
        ("${SLACK_BOT_TOKEN}", "xoxb-1", "slack.bot_token: holds its secret itself"),
        ("${GITHUB_WEBHOOK_SECRET}", "${A:-abc}", "github.webhook_secret[1]: holds its secret itself"),
        ("${DATABASE_URL}", "postgresql://u:pw@h/d", "2:11: database: holds its secret itself"),
        ("${DATABASE_URL}", "postgresql://u:${PW:-pw}@h/d", "database: holds its secret itself"),
        ("https://errand.example.com", "${URL}", "1:6: url: the environment variable URL is not set"),
        ("command: x,", "comand: x,", "unknown key"),
    ],
)
def test_mistake_is_told_in_its_place(file: Path, old: str, new: str, mistake: str) -> None:
    assert old in FILE
    with pytest.raises(ConfigError) as refused:
        made(file, FILE.replace(old, new))
    assert mistake in str(refused.value)
    assert "xoxb-1" not in str(refused.value)


def test_password_of_the_database_from_the_environment_is_right(file: Path) -> None:
    assert made(file, merged(FILE, database="postgresql://u:${PW}@h:6000/d"))
    assert made(file, merged(FILE, database="postgresql://u@h/d"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "engine.kind is process; this needs kubernetes"),
        ("engine: {kind: kubernetes, kubernetes: {context: x}}", "are for an Errand outside of the cluster"),
        ("engine: {kind: kubernetes, kubernetes: {kubeconfig: x}}", "uses the cluster that it runs in"),
    ],
)
def test_file_that_is_not_for_a_bot_in_a_cluster_is_refused(file: Path, text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        made(file, text)
