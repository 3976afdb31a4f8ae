"""The events that controllers tell about objects."""

import time
from itertools import count

from tests.kubernetes import kinds
from tests.kubernetes.problems import Object
from tests.kubernetes.store import Store, micro_stamp, stamp

NODE = "127.0.0.1"
_numbers = count()


class Events:
    """Tells what happens; the same thing again counts up."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[tuple[str, str, str], str] = {}

    def tell(
        self,
        component: str,
        about: Object,
        reason: str,
        message: str,
        *,
        warns: bool = False,
        field: str = "",
    ) -> None:
        """Tell `reason` about an object."""
        metadata = about["metadata"]
        namespace = metadata["namespace"]
        key = (metadata["uid"], reason, message)
        known = self._store.find(kinds.EVENT, namespace, self._told.get(key, ""))
        if known is not None:
            self._store.replace(
                kinds.EVENT, {**known, "count": (known.get("count") or 1) + 1, "lastTimestamp": stamp()}
            )
            return
        name = f"{metadata['name']}.{time.time_ns() + next(_numbers):x}"
        self._told[key] = name
        involved = {
            "kind": about["kind"],
            "namespace": namespace,
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": metadata["resourceVersion"],
        }
        event: Object = {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved | ({"fieldPath": field} if field else {}),
            "reason": reason,
            "message": message,
            "type": "Warning" if warns else "Normal",
        }
        self._store.add(kinds.EVENT, event | _source(component))


def _source(component: str) -> Object:
    if component == "default-scheduler":
        return {
            "source": {},
            "firstTimestamp": None,
            "lastTimestamp": None,
            "eventTime": micro_stamp(),
            "action": "Binding",
            "reportingComponent": component,
            "reportingInstance": f"{component}-test",
        }
    source = {"component": component} | ({"host": NODE} if component == "kubelet" else {})
    now = stamp()
    return {
        "source": source,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": NODE if component == "kubelet" else "",
    }
