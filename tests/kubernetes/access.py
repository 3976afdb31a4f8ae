"""Who asks and what their rules grant. https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""

from collections.abc import Iterator
from dataclasses import dataclass

from executor.kubernetes.installing.access import WORKLOADS, Uses, rules
from executor.kubernetes.settings import Settings
from executor.spec import Live
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Problem, forbidden

ADMIN = "kubernetes-admin"
USER = "system:serviceaccount:errand:errand"


@dataclass(frozen=True)
class Rule:
    """What a Role grants; `resources` with subresources as `pods/log`."""

    groups: tuple[str, ...]
    resources: tuple[str, ...]
    verbs: tuple[str, ...]

    def grants(self, group: str, resource: str, verb: str) -> bool:
        """Whether it is enough."""
        return all(
            "*" in known or word in known
            for known, word in ((self.groups, group), (self.resources, resource), (self.verbs, verb))
        )


_NAMESPACE = "jobs"


def _role() -> Iterator[Rule]:
    lives = tuple(Live(f"{kind}/any") for kind in WORKLOADS)
    uses = Uses(lives, {_NAMESPACE: frozenset({"any"})})
    for rule in rules(Settings(_NAMESPACE, "tests"), uses):
        # Without the names of Secrets and workloads, which tests make as they need them.
        yield Rule((rule.resource.group,), (rule.target,), rule.verbs)


ROLE = tuple(_role())
"""What Errand's own Role grants in its namespace, in an installation that uses all that there is."""


class Access:
    """The users of the server by their tokens."""

    def __init__(self, tokens: dict[str, str], rules: tuple[Rule, ...] = ROLE) -> None:
        self._tokens = tokens
        self.rules = rules

    def user(self, header: str | None) -> str:
        """Say whose token it is; raises Problem with 401."""
        kind, _, token = (header or "").partition(" ")
        if kind.lower() != "bearer" or token not in self._tokens:
            raise Problem(401, "Unauthorized", "Unauthorized")
        return self._tokens[token]

    def allows(self, user: str, group: str, resource: str, verb: str) -> bool:
        """Whether `user` may."""
        if user == ADMIN or group == "authorization.k8s.io":
            return True
        return any(rule.grants(group, resource, verb) for rule in self.rules)

    def check(self, user: str, kind: Kind, verb: str, place: tuple[str, str, str]) -> None:
        """Raise Problem with 403 where `user` may not; `place` is namespace, name and subresource."""
        namespace, name, part = place
        resource = f"{kind.plural}/{part}" if part else kind.plural
        if self.allows(user, kind.group, resource, verb):
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        words = f'User "{user}" cannot {verb} resource "{resource}" in API group "{kind.group}" {where}'
        raise forbidden(kind, name, words)
