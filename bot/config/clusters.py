"""What the Kubernetes engine has to know, from the file."""

import hashlib
import os

from bot.config.config import Config
from executor.kubernetes.settings import Builder, Registry, Settings


def cluster_settings(config: Config) -> Settings:
    """The settings of the engine.

    Bots that share a database have one address in common, and no other installation has it: that is what
    tells their objects from those of others.
    """
    cluster = config.engine.kubernetes
    lives = {image.namespace for image in config.images.values() if image.namespace is not None}
    return Settings(
        namespace=cluster.namespace,
        installation=hashlib.sha256(config.url.encode()).hexdigest()[:16],
        context=cluster.context,
        kubeconfig=os.path.expanduser(cluster.kubeconfig) if cluster.kubeconfig else None,
        namespaces=tuple(sorted(lives - {cluster.namespace})),
        service_account=cluster.service_account,
        pod=cluster.pod,
        pending_timeout=cluster.pending_timeout,
        builder=Builder(
            kind=cluster.builder.kind,
            image=cluster.builder.used_image,
            registry_secret=cluster.builder.registry_secret,
            cache=cluster.builder.cache,
            pod=cluster.builder.pod,
        ),
        registries={host: Registry(one.http, one.ca) for host, one in cluster.registries.items()},
    )
