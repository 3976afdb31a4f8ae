"""What runs share with a workload that runs now. Pure."""

from dataclasses import dataclass, field

from executor.kubernetes.client import Object
from executor.spec import Reference


@dataclass(frozen=True, slots=True)
class Workload:
    """What a pod of it has, as the API writes it.

    `image` is by digest where a registry has it. `secrets` are the values of Secrets that its environment
    has; an empty key means all keys of that Secret. `optional` names those that may be missing.
    """

    namespace: str
    image: str
    env: tuple[Object, ...] = ()
    env_from: tuple[Object, ...] = ()
    volumes: tuple[Object, ...] = ()
    mounts: tuple[Object, ...] = ()
    service_account: str | None = None
    has_token: bool = False
    pull_secrets: tuple[str, ...] = ()
    placement: Object = field(default_factory=dict)
    pod_security: Object = field(default_factory=dict)
    container_security: Object = field(default_factory=dict)
    secrets: tuple[Reference, ...] = ()
    optional: frozenset[Reference] = frozenset()
