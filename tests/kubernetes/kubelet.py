"""Runs the pods of the node. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"""

import asyncio
import shutil
from itertools import count
from pathlib import Path

from tests.kubernetes import kinds
from tests.kubernetes.images import Images
from tests.kubernetes.machine import Machine
from tests.kubernetes.memory import Limits
from tests.kubernetes.nodecache import NodeCache
from tests.kubernetes.objects import Objects
from tests.kubernetes.podlogs import ContainerLog
from tests.kubernetes.podworker import Node, PodWorker
from tests.kubernetes.problems import Object
from tests.kubernetes.store import Change
from tests.kubernetes.telling import Events


class Kubelet:
    """One worker for every pod that is bound to the node."""

    def __init__(self, objects: Objects, events: Events, directory: Path, *, isolates: bool) -> None:
        self.logs: dict[tuple[str, str], ContainerLog] = {}
        self._directory = directory
        self.limits = Limits(f"errand-{directory.name}") if isolates else None
        self._node = Node(
            objects=objects,
            events=events,
            images=Images(directory / "images", roots=isolates),
            machine=Machine(directory),
            limits=self.limits,
            logs=self.logs,
            directory=directory,
            isolates=isolates,
            addresses=count(2),
            cache=NodeCache(objects.store),
        )
        self._workers: dict[str, tuple[PodWorker, asyncio.Task[None]]] = {}
        objects.store.listen(self._hear)

    def _hear(self, change: Change) -> None:
        if change.kind != kinds.POD:
            return
        metadata = change.item["metadata"]
        uid = metadata["uid"]
        known = self._workers.get(uid)
        if change.type == "DELETED":
            if known:
                known[0].stop(metadata.get("deletionGracePeriodSeconds") or 0)
            else:
                self._forget(change.item)
        elif known:
            if "deletionTimestamp" in metadata:
                known[0].stop(metadata["deletionGracePeriodSeconds"])
        elif change.item["spec"].get("nodeName") and change.item["status"].get("phase") == "Pending":
            worker = PodWorker(self._node, change.item)
            task = asyncio.get_running_loop().create_task(self._run(worker, uid))
            self._workers[uid] = (worker, task)
            if "deletionTimestamp" in metadata:
                worker.stop(metadata["deletionGracePeriodSeconds"])

    async def _run(self, worker: PodWorker, uid: str) -> None:
        try:
            await worker.run()
        finally:
            del self._workers[uid]
            if worker.is_gone():
                self._forget(worker.pod)

    def _forget(self, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        for key in [key for key in self.logs if key[0] == uid]:
            del self.logs[key]
        shutil.rmtree(self._directory / "pods" / uid, ignore_errors=True)

    def evict(self, namespace: str, name: str) -> None:
        """End a pod because the node has too little of something."""
        for worker, _ in self._workers.values():
            metadata = worker.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                worker.evict()

    def rotate(self, namespace: str, name: str) -> None:
        """Begin new files for the logs of a pod, as a node does once they have its `containerLogMaxSize`."""
        for worker, _ in self._workers.values():
            metadata = worker.pod["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                for (uid, _), log in self.logs.items():
                    if uid == metadata["uid"] and not log.ended:
                        log.rotate()

    async def close(self) -> None:
        """Kill everything."""
        tasks = [task for _, task in self._workers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._node.machine.close()
        if self.limits is not None:
            self.limits.close()
