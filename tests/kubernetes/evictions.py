"""The eviction of a pod as `kubectl drain` asks for it.

https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/ It deletes the pod, also one that has
ended, and says at the pod that it did. There are no budgets here.
"""

from tests.kubernetes import kinds
from tests.kubernetes.objects import Objects
from tests.kubernetes.problems import Object, bad_request
from tests.kubernetes.statuses import disrupted

_VERSION = "policy/v1"


def evict(objects: Objects, place: tuple[str, str], body: Object) -> Object:
    """Evict the pod at `place`, its namespace and name; gives the answer. Raises Problem."""
    if (body.get("apiVersion"), body.get("kind")) != (_VERSION, "Eviction"):
        raise bad_request("no kind is registered for the type: an Eviction of policy/v1 is wanted")
    name = (body.get("metadata") or {}).get("name")
    if name != place[1]:
        raise bad_request("name in URL does not match name in Eviction object")
    pod = objects.store.get(kinds.POD, *place)
    if "deletionTimestamp" not in pod["metadata"]:
        told = {"reason": "EvictionByEvictionAPI", "message": "Eviction API: evicting"}
        conditions = disrupted(pod["status"].get("conditions") or [], told)
        objects.set_status(kinds.POD, pod, {**pod["status"], "conditions": conditions})
    objects.delete(kinds.POD, place, body.get("deleteOptions") or {})
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
