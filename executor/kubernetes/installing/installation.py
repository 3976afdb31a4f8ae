"""What has to be applied for Errand to run in a cluster, as plain objects. Pure.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ All of it passes "restricted".
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from executor.kubernetes.installing.access import Object, Rule, role_rules
from executor.kubernetes.resources import ERRAND, MANAGED_BY

HOME = "/var/lib/errand"
"""Where the container of Errand starts: paths in app.yaml that are not whole ones begin here."""
CONFIG = "/etc/errand"
PORT = 8000
_USER = 10001
"""The user of Errand's image."""
_GRACE = 30
_SELECTOR = {"app.kubernetes.io/name": ERRAND, "app.kubernetes.io/component": "bot"}
_LABELS = {**_SELECTOR, "app.kubernetes.io/part-of": ERRAND}
_UPDATES = {
    False: "An update ends the bot before it starts the next one.",
    True: "An update starts one bot of the new version before it ends one of the old; both use the database.",
}
_DNS = ({"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53})


@dataclass(frozen=True, slots=True)
class Bot:
    """How Errand itself is to run: `replicas` of `image` in `namespace`, with app.yaml as it is written.

    `variables` come from the Secret called errand, those with False only if it has them. `directories` are
    whole paths outside of `HOME` that have to last, `ports` what is asked besides DNS, over TCP. `storage` is
    the size of the volume for logs and, on SQLite, the database.
    """

    namespace: str
    image: str
    config: str
    replicas: int = 1
    variables: Mapping[str, bool] = field(default_factory=dict)
    directories: tuple[PurePosixPath, ...] = ()
    ports: tuple[int, ...] = (443, 6443)
    storage: str = "10Gi"


def objects(bot: Bot, rules: Sequence[Rule]) -> Iterator[tuple[str, Object]]:
    """Everything to apply, each with a sentence that says what it is for."""
    yield "Whom Errand asks the cluster as.", _object("v1", "ServiceAccount", bot)
    for namespace in dict.fromkeys(rule.namespace for rule in rules):
        yield from _rights(bot, namespace, [rule for rule in rules if rule.namespace == namespace])
    yield "app.yaml. Its secrets stand in the Secret that is called errand.", _config(bot)
    yield "Logs, and with SQLite the database.", _volume(bot)
    yield f"Errand itself. {_UPDATES[bot.replicas > 1]}", _deployment(bot)
    yield "Where GitHub, Slack and people reach it; an Ingress or a Gateway belongs before it.", _service(bot)
    yield "What may reach Errand, and what it may reach.", _network(bot)
    for namespace in dict.fromkeys(rule.namespace for rule in rules):
        yield "A run is no server: nothing may connect to it.", _closed(namespace)
    yield "A node is drained one bot at a time.", _budget(bot)


def _object(version: str, kind: str, bot: Bot, spec: Object | None = None) -> Object:
    metadata = {"name": ERRAND, "namespace": bot.namespace, "labels": dict(_LABELS)}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **({"spec": spec} if spec else {})}


def _rights(bot: Bot, namespace: str, rules: list[Rule]) -> Iterator[tuple[str, Object]]:
    api = "rbac.authorization.k8s.io"
    metadata = {"name": ERRAND, "namespace": namespace, "labels": dict(_LABELS)}
    role = {"apiVersion": f"{api}/v1", "kind": "Role", "metadata": metadata, "rules": role_rules(rules)}
    yield f"What Errand does in the namespace {namespace}, and no more.", role
    binding = {
        "apiVersion": f"{api}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": api, "kind": "Role", "name": ERRAND},
        "subjects": [{"kind": "ServiceAccount", "name": ERRAND, "namespace": bot.namespace}],
    }
    yield f"Errand has these rights in {namespace}.", binding


def _config(bot: Bot) -> Object:
    return _object("v1", "ConfigMap", bot) | {"data": {"app.yaml": bot.config}}


def _volume(bot: Bot) -> Object:
    mode = "ReadWriteOnce" if bot.replicas == 1 else "ReadWriteMany"
    spec = {"accessModes": [mode], "resources": {"requests": {"storage": bot.storage}}}
    return _object("v1", "PersistentVolumeClaim", bot, spec)


def _deployment(bot: Bot) -> Object:
    digest = hashlib.sha256(bot.config.encode()).hexdigest()
    template = {
        "metadata": {"labels": dict(_LABELS), "annotations": {"errand/config": digest}},
        "spec": _pod(bot),
    }
    # One bot alone has the volume, and the file of SQLite, for itself. Of several none is missing meanwhile.
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    strategy: Object = {"type": "Recreate"} if bot.replicas == 1 else rolling
    spec = {
        "replicas": bot.replicas,
        "strategy": strategy,
        "selector": {"matchLabels": dict(_SELECTOR)},
        "template": template,
    }
    return _object("apps/v1", "Deployment", bot, spec)


def _pod(bot: Bot) -> Object:
    pod: Object = {
        "serviceAccountName": ERRAND,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": _GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(bot)],
        "volumes": [
            {"name": "config", "configMap": {"name": ERRAND}},
            {"name": "data", "persistentVolumeClaim": {"claimName": ERRAND}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    if bot.replicas > 1:
        term = {"labelSelector": {"matchLabels": dict(_SELECTOR)}, "topologyKey": "kubernetes.io/hostname"}
        apart = [{"weight": 100, "podAffinityTerm": term}]
        pod["affinity"] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": apart}}
    return pod


def _container(bot: Bot) -> Object:
    mounts: list[Object] = [
        {"name": "config", "mountPath": CONFIG, "readOnly": True},
        {"name": "data", "mountPath": HOME},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of its own
    ]
    for number, directory in enumerate(bot.directories, 1):
        mounts.append({"name": "data", "mountPath": str(directory), "subPath": f"directory-{number}"})
    return {
        "name": ERRAND,
        "image": bot.image,
        "args": ["serve", "--host", "0.0.0.0", "--port", str(PORT), "--config", f"{CONFIG}/app.yaml"],
        "workingDir": HOME,
        "env": [_variable(name, required) for name, required in bot.variables.items()],
        "ports": [{"name": "http", "containerPort": PORT}],
        # The database is brought up to date before the first answer.
        "startupProbe": _probe("/healthz", 60),
        "livenessProbe": _probe("/healthz", 6),
        "readinessProbe": _probe("/readyz", 2),
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _variable(name: str, required: bool) -> Object:
    key = {"name": ERRAND, "key": name, **({} if required else {"optional": True})}
    return {"name": name, "valueFrom": {"secretKeyRef": key}}


def _probe(path: str, failures: int) -> Object:
    action = {"path": path, "port": "http"}
    return {"httpGet": action, "periodSeconds": 5, "timeoutSeconds": 5, "failureThreshold": failures}


def _service(bot: Bot) -> Object:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return _object("v1", "Service", bot, {"selector": dict(_SELECTOR), "ports": ports})


def _network(bot: Bot) -> Object:
    ports = [*_DNS, *({"protocol": "TCP", "port": port} for port in bot.ports)]
    spec = {
        "podSelector": {"matchLabels": dict(_SELECTOR)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": "http"}]}],
        "egress": [{"ports": ports}],
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", bot, spec)


def _closed(namespace: str) -> Object:
    spec = {"podSelector": {"matchLabels": {MANAGED_BY: ERRAND}}, "policyTypes": ["Ingress"]}
    metadata = {"name": f"{ERRAND}-runs", "namespace": namespace, "labels": dict(_LABELS)}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": spec,
    }


def _budget(bot: Bot) -> Object:
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(_SELECTOR)}}
    return _object("policy/v1", "PodDisruptionBudget", bot, spec)
