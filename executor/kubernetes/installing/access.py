"""Which rights Errand uses on a cluster, each with what it is needed for: the one place that says so. Pure.

https://kubernetes.io/docs/reference/access-authn-authz/rbac/ The Role of `errand manifest kubernetes`, the
questions of `errand check --cluster` and the rights of the API server in the tests are made from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from executor.kubernetes.objects.secretrefs import secret_refs
from executor.kubernetes.resources import (
    CONFIGMAPS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    EVENTS,
    JOBS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    STATEFULSETS,
    Resource,
)
from executor.kubernetes.settings import Settings
from executor.spec import Live

Object = dict[str, Any]
"""An object as the API takes it."""

DEFAULT = "default"
"""The service account of pods that name none."""

WORKLOADS: Mapping[str, Resource] = {
    "deployment": DEPLOYMENTS,
    "statefulset": STATEFULSETS,
    "daemonset": DAEMONSETS,
    "cronjob": CRONJOBS,
    "pod": PODS,
}
"""The kinds that a live image can come from."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`verbs` on `resource` in `namespace`, or on a part of it; `names` empty: on all of them."""

    namespace: str
    resource: Resource
    verbs: tuple[str, ...]
    why: str
    part: str | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        verbs = ", ".join(self.verbs)
        return f"{verbs} {self.target}" + (f" {', '.join(self.names)}" if self.names else "")

    @property
    def target(self) -> str:
        """What a Role calls it: `pods`, `pods/log`."""
        return self.resource.plural + (f"/{self.part}" if self.part else "")


@dataclass(frozen=True, slots=True)
class Uses:
    """What jobs and images ask of a cluster: live images, and by namespace the Secrets that are masked."""

    lives: tuple[Live, ...] = ()
    secrets: Mapping[str, frozenset[str]] = field(default_factory=dict)


def rules(settings: Settings, uses: Uses) -> tuple[Rule, ...]:
    """Every right that is used, namespace by namespace."""
    lives = {live.namespace or settings.namespace for live in uses.lives}
    namespaces = dict.fromkeys([settings.namespace, *sorted(lives | set(settings.namespaces))])
    found: list[Rule] = []
    for namespace in namespaces:
        found += _of_runs(namespace)
        found += _of_secrets(namespace, settings, uses)
    for live in sorted(set(uses.lives), key=lambda live: (live.namespace or "", live.workload)):
        found += _of_workload(live, settings)
    return tuple(dict.fromkeys(found))


def role_rules(rules: Sequence[Rule]) -> list[Object]:
    """The same as the `rules` of one Role."""
    made: list[Object] = []
    for rule in rules:
        one: Object = {
            "apiGroups": [rule.resource.group],
            "resources": [rule.target],
            "verbs": list(rule.verbs),
        }
        if rule.names:
            one["resourceNames"] = list(rule.names)
        made.append(one)
    return made


def _of_runs(namespace: str) -> Iterator[Rule]:
    every = ("create", "get", "list", "watch", "patch", "delete")
    yield Rule(namespace, JOBS, every, "every run and every build is a Job")
    seen = ("list", "watch", "patch", "delete")
    yield Rule(namespace, PODS, seen, "what a run does is said by its pod, and deleting that stops it")
    yield Rule(namespace, PODS, ("get",), "logs", part="log")
    owned = ("create", "patch")  # they go with their Job
    yield Rule(namespace, SECRETS, owned, "variables and files of a run that hold secrets")
    yield Rule(namespace, CONFIGMAPS, owned, "files of a run")
    yield Rule(namespace, EVENTS, ("list", "watch"), "why a pod does not start")


def _of_secrets(namespace: str, settings: Settings, uses: Uses) -> Iterator[Rule]:
    pods = [settings.pod, *([settings.builder.pod] if namespace == settings.namespace else ())]
    names = {ref.name for pod in pods for ref in secret_refs(dict(pod))} | set(
        uses.secrets.get(namespace, ())
    )
    if names:
        masked = "what they say is masked in logs"
        yield Rule(namespace, SECRETS, ("get",), masked, names=tuple(sorted(names)))
    if namespace != settings.namespace:
        return
    why = "where images come from is asked with the credentials of their pull"
    yield Rule(namespace, SERVICE_ACCOUNTS, ("get",), why, names=(settings.service_account or DEFAULT,))
    pulls = [item.get("name") for item in settings.pod.get("imagePullSecrets") or () if item]
    credentials = {str(name) for name in (*pulls, settings.builder.registry_secret) if name}
    if credentials:
        yield Rule(namespace, SECRETS, ("get",), why, names=tuple(sorted(credentials)))


def _of_workload(live: Live, settings: Settings) -> Iterator[Rule]:
    kind, _, name = live.workload.partition("/")
    resource = WORKLOADS.get(kind)
    if resource is not None:
        namespace = live.namespace or settings.namespace
        yield Rule(namespace, resource, ("get",), f"live image of {live.workload}", names=(name,))
