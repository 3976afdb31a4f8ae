"""Deletes what belongs to what is gone. https://kubernetes.io/docs/concepts/architecture/garbage-collection/"""

import asyncio

from tests.kubernetes.kinds import Kind
from tests.kubernetes.objects import Objects
from tests.kubernetes.problems import Object, Problem
from tests.kubernetes.store import Change


class Garbage:
    """Follows the owners of objects."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._dependents: dict[str, dict[str, tuple[Kind, str, str]]] = {}
        self._alive: dict[str, tuple[Kind, str, str]] = {}
        objects.store.listen(self._hear)

    def _hear(self, change: Change) -> None:
        metadata = change.item["metadata"]
        uid = metadata["uid"]
        loop = asyncio.get_running_loop()
        owners = {owner["uid"] for owner in metadata.get("ownerReferences") or []}
        if change.before:
            for owner in {
                item["uid"] for item in change.before["metadata"].get("ownerReferences") or []
            } - owners:
                self._dependents.get(owner, {}).pop(uid, None)
        if change.type == "DELETED":
            self._alive.pop(uid, None)
            for owner in owners:
                self._dependents.get(owner, {}).pop(uid, None)
                if owner in self._alive:
                    loop.call_soon(self._finish, *self._alive[owner])
            for dependent in self._dependents.pop(uid, {}).values():
                loop.call_soon(self._collect, *dependent)
            return
        place = (change.kind, metadata.get("namespace", ""), metadata["name"])
        self._alive[uid] = place
        for owner in owners:
            self._dependents.setdefault(owner, {})[uid] = place
        if owners and not owners & self._alive.keys():
            loop.call_soon(self._collect, *place)
        if metadata.get("deletionTimestamp") and metadata.get("finalizers"):
            loop.call_soon(self._finish, *place)

    def _collect(self, kind: Kind, namespace: str, name: str) -> None:
        item = self._objects.store.find(kind, namespace, name)
        if item is None or item["metadata"].get("deletionTimestamp"):
            return
        owners = item["metadata"].get("ownerReferences") or []
        if owners and not any(owner["uid"] in self._alive for owner in owners):
            self._objects.delete(kind, (namespace, name), {"propagationPolicy": "Background"})

    def _finish(self, kind: Kind, namespace: str, name: str) -> None:
        """Do what the finalizers of the garbage collector wait for."""
        item = self._objects.store.find(kind, namespace, name)
        if item is None or not item["metadata"].get("deletionTimestamp"):
            return
        finalizers: list[str] = item["metadata"].get("finalizers") or []
        uid = item["metadata"]["uid"]
        if "orphan" in finalizers:
            for place in list(self._dependents.get(uid, {}).values()):
                self._orphan(uid, *place)
            self._remove_finalizer(kind, item, "orphan")
        elif "foregroundDeletion" in finalizers:
            waiting = False
            for place in list(self._dependents.get(uid, {}).values()):
                waiting |= self._delete_dependent(uid, *place)
            if not waiting:
                self._remove_finalizer(kind, item, "foregroundDeletion")

    def _orphan(self, owner: str, kind: Kind, namespace: str, name: str) -> None:
        item = self._objects.store.find(kind, namespace, name)
        if item is not None:
            kept = [known for known in item["metadata"]["ownerReferences"] if known["uid"] != owner]
            self._objects.change(kind, item, ownerReferences=kept or None)

    def _delete_dependent(self, owner: str, kind: Kind, namespace: str, name: str) -> bool:
        item = self._objects.store.find(kind, namespace, name)
        if item is None:
            return False
        if not item["metadata"].get("deletionTimestamp"):
            try:
                self._objects.delete(kind, (namespace, name), {"propagationPolicy": "Background"})
            except Problem:
                return False
        still = self._objects.store.find(kind, namespace, name)
        owners = item["metadata"].get("ownerReferences") or []
        blocks = any(known["uid"] == owner and known.get("blockOwnerDeletion") for known in owners)
        return still is not None and blocks

    def _remove_finalizer(self, kind: Kind, item: Object, name: str) -> None:
        kept = [known for known in item["metadata"]["finalizers"] if known != name]
        self._objects.change(kind, item, finalizers=kept or None)
