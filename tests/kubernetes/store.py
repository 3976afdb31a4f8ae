"""The objects with their history: every change has a resource version, and who watches is told."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object, conflict, exists, expired, not_found

_KEPT = 20_000
"""Changes that are remembered for those who watch."""
_FIRST = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an object. `before` is what it was, None of a new one."""

    version: int
    type: str
    kind: Kind
    item: Object
    before: Object | None


class Store:
    """All objects by kind, namespace and name. What is in it is never changed in place."""

    def __init__(self) -> None:
        self._items: dict[Kind, dict[tuple[str, str], Object]] = {}
        self._changes: deque[Change] = deque(maxlen=_KEPT)
        self._listeners: list[Callable[[Change], None]] = []
        self.version = _FIRST
        self.oldest = _FIRST
        """Watches from before this resource version are refused."""

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with every change from now on; gives what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def all(self, kind: Kind, namespace: str | None = None) -> Iterator[Object]:
        """Give the objects of a kind in the order of their names."""
        items = self._items.get(kind, {})
        for key in sorted(items):
            if namespace is None or key[0] == namespace:
                yield items[key]

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Give one object or None."""
        return self._items.get(kind, {}).get((namespace, name))

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Give one object; raises Problem."""
        found = self.find(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def add(self, kind: Kind, item: Object) -> Object:
        """Add an object, which gets its uid and time; raises Problem where its name is taken."""
        metadata = item["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        items = self._items.setdefault(kind, {})
        if key in items:
            raise exists(kind, metadata["name"])
        metadata.setdefault("uid", str(uuid4()))
        metadata["creationTimestamp"] = stamp()
        return self._put(kind, item, "ADDED", None)

    def replace(self, kind: Kind, item: Object) -> Object:
        """Put a new state of an object; raises Problem where it has another version now."""
        metadata = item["metadata"]
        before = self.get(kind, metadata.get("namespace", ""), metadata["name"])
        if metadata.get("resourceVersion") not in (None, "", before["metadata"]["resourceVersion"]):
            raise conflict(kind, metadata["name"])
        if {**item, "metadata": {**metadata, "resourceVersion": ""}} == {
            **before,
            "metadata": {**before["metadata"], "resourceVersion": ""},
        }:
            return before
        held = metadata.get("finalizers") or metadata.get("deletionGracePeriodSeconds")
        if metadata.get("deletionTimestamp") and not held:
            return self.drop(kind, item)
        return self._put(kind, item, "MODIFIED", before)

    def drop(self, kind: Kind, item: Object) -> Object:
        """Take an object away; its last state is told."""
        metadata = item["metadata"]
        before = self._items[kind].pop((metadata.get("namespace", ""), metadata["name"]))
        self.version += 1
        last = {**item, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        self._tell(Change(self.version, "DELETED", kind, last, before))
        return last

    def since(self, version: int) -> list[Change]:
        """Give what happened after `version`; raises Problem where that is no longer known."""
        if version < self.oldest:
            raise expired()
        return [change for change in self._changes if change.version > version]

    def forget(self) -> None:
        """Know nothing of what happened until now, and no version that anybody has heard of."""
        self._changes.clear()
        self.version += 1
        self.oldest = self.version

    def _put(self, kind: Kind, item: Object, type_: str, before: Object | None) -> Object:
        self.version += 1
        metadata = {**item["metadata"], "resourceVersion": str(self.version)}
        placed = {**item, "metadata": metadata}
        self._items.setdefault(kind, {})[metadata.get("namespace", ""), metadata["name"]] = placed
        self._tell(Change(self.version, type_, kind, placed, before))
        return placed

    def _tell(self, change: Change) -> None:
        if len(self._changes) == _KEPT:
            self.oldest = self._changes[0].version
        self._changes.append(change)
        for listener in list(self._listeners):
            listener(change)


def stamp(at: float | None = None) -> str:
    """A time in the format of the API, now unless `at` is given."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp() -> str:
    """The time now in the format of events."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
