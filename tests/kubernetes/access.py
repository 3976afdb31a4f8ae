"""Who asks and what their rules grant. https://kubernetes.io/docs/reference/access-authn-authz/rbac/"""

from dataclasses import dataclass

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


ROLE = (
    Rule(("batch",), ("jobs",), ("create", "get", "list", "watch", "patch", "delete")),
    Rule(("batch",), ("cronjobs",), ("get",)),
    Rule(("",), ("pods",), ("get", "list", "watch", "patch", "delete")),
    Rule(("",), ("pods/log",), ("get",)),
    Rule(("",), ("events",), ("list", "watch")),
    Rule(("",), ("secrets", "configmaps"), ("create", "get", "list", "patch", "delete")),
    Rule(("apps",), ("deployments", "statefulsets", "daemonsets"), ("get",)),
)
"""What Errand's own Role grants in its namespace."""


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
