"""Asks a cluster whether Errand has the rights that it uses.

https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access
Everybody who is known to a cluster may ask what they may do there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from executor.errors import EngineUnavailable
from executor.kubernetes.client import Client, Object
from executor.kubernetes.images import live
from executor.kubernetes.installing.access import Rule, Uses, rules
from executor.kubernetes.refusals import Refused
from executor.kubernetes.resources import ACCESS_REVIEWS, Resource
from executor.kubernetes.settings import Settings
from executor.outcomes import RunEnded

_AT_ONCE = 8
"""Questions that are asked side by side."""
_NAMESPACES = Resource("api/v1", "namespaces", "Namespace")
_SELF = Resource("apis/authentication.k8s.io/v1", "selfsubjectreviews", "SelfSubjectReview")
_ENFORCED = "pod-security.kubernetes.io/enforce"
_ROOTLESS = ("baseline", "restricted")
"""Levels that forbid a builder without root what it needs: user namespaces and mounts of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Which verbs of a rule are missing, or for which of its names; nothing: all is well."""

    rule: Rule
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Who was asked for, what the cluster said of every rule, and sentences on what else is wrong."""

    user: str
    answers: tuple[Answer, ...]
    problems: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether nothing is missing."""
        return not self.problems and not any(answer.missing for answer in self.answers)


async def reviewed(settings: Settings, uses: Uses, *, has_builds: bool) -> Review:
    """Ask the cluster of `settings` about everything that is used there.

    Raises EngineUnavailable where there is none, or it does not answer, or does not know who asks.
    """
    client = await Client.open(settings)
    try:
        builds_in = settings.namespace if has_builds else None
        found, hints = await _with_workloads(client, settings, uses)
        result = await review(client, rules(settings, found), builds_in=builds_in)
        return replace(result, hints=(*result.hints, *hints))
    except Refused as refused:
        raise EngineUnavailable(f"the API server of Kubernetes refuses to be asked: {refused}") from refused
    finally:
        await client.close()


async def _with_workloads(client: Client, settings: Settings, uses: Uses) -> tuple[Uses, list[str]]:
    """Add the Secrets that live images refer to now; gives sentences on those that cannot be looked at."""
    secrets, hints = dict(uses.secrets), []
    for look in uses.lives:
        try:
            found = await live.workload(client, look, settings)
        except RunEnded as ended:
            hints.append(f"Live image of {look.workload}: {ended}")
            continue
        names = {reference.name for reference in found.secrets}
        secrets[found.namespace] = secrets.get(found.namespace, frozenset()) | names
    return replace(uses, secrets=secrets), hints


async def review(client: Client, used: Sequence[Rule], *, builds_in: str | None) -> Review:
    """Ask about every rule of `used` and every namespace; images are built in `builds_in`, if any are.

    Raises `Refused` where the cluster does not know who asks, and EngineUnavailable.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    user = await _user(client)
    answers = await asyncio.gather(*(_answer(client, rule, gate) for rule in used))
    names = list(dict.fromkeys(rule.namespace for rule in used))
    levels = await asyncio.gather(*(_level(client, name, gate) for name in names))
    by_name = dict(zip(names, levels, strict=True))
    problems = [f"There is no namespace {name}." for name, level in by_name.items() if level is None]
    hints = [
        f"The namespace {name} enforces the pod security level {level}, which admits no builder without root:"
        " images cannot be built there, unless engine.kubernetes.builder.pod makes up for it."
        for name, level in by_name.items()
        if name == builds_in and level in _ROOTLESS
    ]
    return Review(user, tuple(answers), tuple(problems), tuple(hints))


async def _user(client: Client) -> str:
    """Whom the cluster takes the caller for; clusters before 1.28 do not say."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": _SELF.kind}
    try:
        found = await client.create(_SELF, None, body)
    except Refused as refused:
        if refused.status == HTTPStatus.UNAUTHORIZED:
            raise
        return "whoever the configuration names"
    return str(found["status"]["userInfo"].get("username") or "nobody")


async def _answer(client: Client, rule: Rule, gate: asyncio.Semaphore) -> Answer:
    """Ask verb by verb, and for each of the names that the rule has."""
    pairs = [(verb, name) for verb in rule.verbs for name in rule.names or (None,)]
    allowed = await asyncio.gather(*(_may(client, rule, verb, name, gate) for verb, name in pairs))
    denied = [name or verb for (verb, name), is_allowed in zip(pairs, allowed, strict=True) if not is_allowed]
    return Answer(rule, tuple(dict.fromkeys(denied)))


async def _may(client: Client, rule: Rule, verb: str, name: str | None, gate: asyncio.Semaphore) -> bool:
    attributes = {
        "namespace": rule.namespace,
        "verb": verb,
        "group": rule.resource.group,
        "resource": rule.resource.plural,
        **({"subresource": rule.part} if rule.part else {}),
        **({"name": name} if name else {}),
    }
    body: Object = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": ACCESS_REVIEWS.kind,
        "spec": {"resourceAttributes": attributes},
    }
    async with gate:
        found = await client.create(ACCESS_REVIEWS, None, body)
    return found["status"].get("allowed") is True


async def _level(client: Client, name: str, gate: asyncio.Semaphore) -> str | None:
    """The pod security level that a namespace enforces; None where there is no such namespace.

    Empty where it enforces none, and where the caller may not look, for which Errand needs no right.
    """
    try:
        async with gate:
            found = await client.get(_NAMESPACES, None, name)
    except Refused as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            return None
        return ""
    return str((found["metadata"].get("labels") or {}).get(_ENFORCED, ""))
