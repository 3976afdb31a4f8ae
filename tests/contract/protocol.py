"""What the suite of the whole `Engine` Protocol asks of each engine, and how it is asked of each."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

from executor.engine import Engine
from executor.kubernetes.engine import KubernetesEngine
from executor.kubernetes.settings import Builder
from executor.logs.store import LogStore
from executor.spec import BuildSpec, Live, Outcome, Recipe, Result, RunSpec, Source, Started
from tests.bot.engine import ObedientEngine
from tests.contract.cases import MAX_LOG, KubernetesCase, sh
from tests.executor.checkout.test_builder import Repository
from tests.executor.kubernetes.places import push
from tests.kubernetes.cluster import Cluster

DIGEST = f"sha256:{'5' * 64}"
_GIT = """#!/bin/sh
case "$*" in
    *read-tree*) echo FROM scratch >"$ERRAND_WORK/tree/Dockerfile" ;;
esac
"""
_BUILDAH = f"""#!/bin/sh
for word; do
    case $word in
        *lasting*) exec sleep 60 ;;
        *failing*) exit 9 ;;
        --digestfile=*) echo {DIGEST} >"${{word#*=}}" ;;
    esac
done
"""


class ProtocolCase(Protocol):
    """One engine, with the runs and builds that end at once or last until they are stopped."""

    @property
    def engine(self) -> Engine: ...

    def run(self, key: str, code: int) -> RunSpec:
        """Give a run that ends with `code`."""
        ...

    def lasting_run(self, key: str) -> RunSpec:
        """Give a run that ends only when it is stopped."""
        ...

    def build(self, key: str, kind: str = "good") -> BuildSpec:
        """Give a build that succeeds, one that is `failing`, or one that is `lasting` until it is stopped."""
        ...

    async def reference(self, name: str) -> str | None:
        """Give what a registry has under a tag; None where the engine knows no registries."""
        ...

    def missing_workload(self) -> Live:
        """Give a workload that nobody has."""
        ...


@dataclass
class ObedientCase:
    """The engine of the tests of `bot`: what its runs and builds do is planned when they are given."""

    engine: ObedientEngine = field(default_factory=ObedientEngine)

    def run(self, key: str, code: int) -> RunSpec:
        result = Result.FAILED if code else Result.SUCCEEDED
        self._plan(Outcome(result, exit_code=code, started_at=1.0, finished_at=2.0))
        return RunSpec(key, ("true",))

    def lasting_run(self, key: str) -> RunSpec:
        self._plan()
        return RunSpec(key, ("true",))

    def build(self, key: str, kind: str = "good") -> BuildSpec:
        ends = {"good": (Outcome(Result.SUCCEEDED),), "failing": (Outcome(Result.FAILED),), "lasting": ()}
        self._plan(*ends[kind])
        return BuildSpec(key, "shop", Source("acme/shop", "nowhere", "a" * 40))

    async def reference(self, name: str) -> str | None:
        pinned = Outcome(Result.SUCCEEDED, image=f"registry.example.com/{name}@{DIGEST}")
        missing = Outcome(Result.ERROR, reason="ImageMissing", message="There is none.")
        self.engine.pins = [[pinned if name == "acme/tools" else missing]]
        return f"registry.example.com/{name}:1"

    def missing_workload(self) -> Live:
        self.engine.pins = [[Outcome(Result.ERROR, reason="WorkloadMissing", message="There is none.")]]
        return Live("container/web")

    def _plan(self, *ends: Outcome) -> None:
        self.engine.plans = [[Started(1.0), *(ends or (_never,))]]


async def _never() -> None:
    await asyncio.get_running_loop().create_future()


@dataclass
class RealCase:
    """An engine of the house: runs are shell scripts, builds are of a repository on this machine."""

    engine: Engine
    image: str | None
    shop: Repository
    registry: str | None = None

    def run(self, key: str, code: int) -> RunSpec:
        return sh(key, f"exit {code}", image=self.image)

    def lasting_run(self, key: str) -> RunSpec:
        return sh(key, "while :; do sleep 0.1; done", image=self.image)

    def build(self, key: str, kind: str = "good") -> BuildSpec:
        step = {"good": "true", "failing": "exit 9", "lasting": "while :; do sleep 0.1; done"}[kind]
        commit = self.shop.commit(Dockerfile=f"FROM {self.image}\nRUN {step}\n")
        source = Source("acme/shop", str(self.shop.path), commit)
        return BuildSpec(key, "shop", source, step, Recipe(), timeout=60.0)

    async def reference(self, name: str) -> str | None:
        if self.registry is None:
            return None
        await asyncio.to_thread(push, self.registry, "acme/tools", "1")
        return f"{self.registry}/{name}:1"

    def missing_workload(self) -> Live:
        return Live("container/nobody-has-this")


@dataclass
class ClusterCase(RealCase):
    """The engine of a cluster: its builds name what they do by their target, and end with a push."""

    def build(self, key: str, kind: str = "good") -> BuildSpec:
        recipe = Recipe(target=kind, push="registry.example.com/acme/shop")
        source = Source("acme/shop", "https://github.com/acme/shop.git", "a" * 40)
        return BuildSpec(key, "shop", source, recipe=recipe, timeout=60.0)

    def missing_workload(self) -> Live:
        return Live("deployment/nobody-has-this")


def stand_in_builder(cluster: Cluster) -> Builder:
    """Give a builder of the image that tests have: git and Buildah come to it by a ConfigMap."""
    name = f"builder-{uuid4().hex[:8]}"
    body = {"metadata": {"name": name}, "data": {"git": _GIT, "buildah": _BUILDAH}}
    cluster.ask("POST", "configmaps", body).raise_for_status()
    mount = {"name": "programs", "mountPath": "/programs"}
    env = {"name": "PATH", "value": "/programs:/bin:/usr/bin"}
    volume = {"name": "programs", "configMap": {"name": name, "defaultMode": 0o555}}
    container = {"name": "job", "env": [env], "volumeMounts": [mount]}
    return Builder("buildah", cluster.image, pod={"volumes": [volume], "containers": [container]})


@asynccontextmanager
async def on_cluster(
    case: KubernetesCase, cluster: Cluster, shop: Repository, registry: str | None
) -> AsyncIterator[ClusterCase]:
    """Give the engine of `case` with a builder that is there."""
    settings = replace(case.settings, builder=stand_in_builder(cluster))
    engine = KubernetesEngine(settings, LogStore(case.directory / "logs", MAX_LOG))
    await engine.open()
    try:
        yield ClusterCase(engine, case.base, shop, registry)
    finally:
        await engine.close()
