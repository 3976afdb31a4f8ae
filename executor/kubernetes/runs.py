"""Runs in the cluster: what is ordered."""

from executor.kubernetes.client import Client
from executor.kubernetes.controller.orders import RunOrder
from executor.kubernetes.images import live
from executor.kubernetes.images.images import Images
from executor.kubernetes.objects import manifests, pods
from executor.kubernetes.objects.manifests import Manifests
from executor.kubernetes.settings import Settings
from executor.outcomes import error
from executor.spec import RunSpec
from executor.targets import targets


def run_order(spec: RunSpec, settings: Settings, client: Client, images: Images) -> RunOrder:
    """Give what a `RunController` attends for a run."""

    async def make() -> Manifests:
        if spec.image is None and spec.live is None:
            raise error("ImageMissing", "A run in a cluster needs an image.")
        try:
            files = targets(spec.files, reserved=pods.RESERVED)
        except ValueError as problem:
            raise error("FilesInvalid", str(problem)) from problem
        workload = await live.workload(client, spec.live, settings) if spec.live else None
        image = spec.image or (workload.image if workload else "")
        facts = await images.facts(image, workload)
        try:
            return manifests.of_run(spec, files, settings, workload, facts)
        except ValueError as problem:
            raise error("SpecInvalid", str(problem)) from problem

    return RunOrder(
        key=spec.key,
        namespace=(spec.live.namespace if spec.live else None) or settings.namespace,
        make=make,
        secrets=spec.secrets,
        timeout=spec.timeout,
        grace=spec.grace,
        pending_timeout=settings.pending_timeout,
    )
