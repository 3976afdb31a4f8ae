"""Which cluster is used, and what every pod of it gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Registry:
    """How a registry is reached that is not as others are: over plain HTTP, or with a CA of its own (PEM)."""

    http: bool = False
    ca: str | None = None


@dataclass(frozen=True)
class Builder:
    """How images are built: `kind` of `image`, with the registry's credentials of a Secret.

    `registry_secret` names a Secret of type kubernetes.io/dockerconfigjson; `cache` is a repository below
    which the layers of each image are kept for its next build; `pod` is merged into the pods of builds after
    everything else.
    """

    kind: Literal["buildkit", "buildah"] = "buildkit"
    image: str = "moby/buildkit:rootless"
    registry_secret: str | None = None
    pod: Mapping[str, Any] = field(default_factory=dict)
    cache: str | None = None


@dataclass(frozen=True)
class Settings:
    """Where the API server is and how runs are placed.

    Without `kubeconfig` and `context` that is the cluster that Errand runs in, or where it runs in none what
    `KUBECONFIG` or `~/.kube/config` says. `namespaces` are further ones in which runs may live already
    (those of live images). `installation` tells the objects of this Errand from those of another.
    `pod` is merged last into the spec of every pod. `pending_timeout` is in seconds. `registries` are
    those that are reached in another way than usual, by `host[:port]`.
    """

    namespace: str
    installation: str
    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    service_account: str | None = None
    pod: Mapping[str, Any] = field(default_factory=dict)
    pending_timeout: float = 600.0
    builder: Builder = field(default_factory=Builder)
    registries: Mapping[str, Registry] = field(default_factory=dict)
