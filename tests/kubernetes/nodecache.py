"""What a node keeps of Secrets and ConfigMaps: those that say that they never change it reads once.

It shows them to every pod until the last one that refers to them has ended, though they were deleted and made
anew meanwhile. https://kubernetes.io/docs/concepts/configuration/configmap/#configmap-immutable
"""

from dataclasses import dataclass, field

from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import Object
from tests.kubernetes.store import Store

_Place = tuple[str, str, str]


@dataclass
class _Kept:
    item: Object
    pods: set[str] = field(default_factory=set)


class NodeCache:
    """That of one node."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[_Place, _Kept] = {}

    def view(self, uid: str) -> "View":
        """Give what the pod with that uid sees."""
        return View(self, uid)

    def find(self, uid: str, kind: Kind, namespace: str, name: str) -> Object | None:
        """Give an object as the pod with that uid sees it, or None."""
        place = (kind.plural, namespace, name)
        if (kept := self._kept.get(place)) is None:
            item = self._store.find(kind, namespace, name)
            if item is None or not item.get("immutable"):
                return item
            kept = self._kept[place] = _Kept(item)
        kept.pods.add(uid)
        return kept.item

    def release(self, uid: str) -> None:
        """A pod has ended."""
        for place, kept in list(self._kept.items()):
            kept.pods.discard(uid)
            if not kept.pods:
                del self._kept[place]


@dataclass(frozen=True)
class View:
    """What one pod sees."""

    cache: NodeCache
    uid: str

    def find(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """Give the object, or None."""
        return self.cache.find(self.uid, kind, namespace, name)
