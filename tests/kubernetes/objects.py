"""What clients and controllers do to objects: create, change, delete, with all the rules there are."""

import random
import time
from copy import deepcopy
from datetime import datetime
from typing import Any

from tests.kubernetes import defaults, kinds, models, names, patches, podrules, quotas
from tests.kubernetes.kinds import Kind
from tests.kubernetes.problems import (
    Object,
    bad_request,
    conflict,
    forbidden,
    forbidden_field,
    invalid,
    not_found,
    wrong,
)
from tests.kubernetes.store import Store, stamp

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""What generated names are made of: no vowels, so that no words come out."""
_OWN_JOB = ("activeDeadlineSeconds", "backoffLimit", "parallelism", "suspend", "ttlSecondsAfterFinished")


class Objects:
    """The store with its rules."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def create(self, kind: Kind, namespace: str, body: Object, *, dry: bool = False) -> Object:
        """Add what a client sent; raises Problem."""
        item = deepcopy(body)
        self._fit(kind, namespace, item)
        models.check(kind, item)
        metadata = item["metadata"]
        for server_owned in ("resourceVersion", "uid", "creationTimestamp", "deletionTimestamp", "selfLink"):
            if server_owned == "resourceVersion" and metadata.get(server_owned):
                raise bad_request("resourceVersion should not be set on objects to be created")
            metadata.pop(server_owned, None)
        if kind.namespaced and self.store.find(kinds.NAMESPACE, "", namespace) is None:
            raise not_found(kinds.NAMESPACE, namespace)
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = f"{metadata['generateName']}{''.join(random.choices(_LETTERS, k=5))}"
        causes = list(names.of_object(item))
        if not metadata.get("name"):
            metadata["name"] = ""
        defaults.fill(kind, item)
        causes += podrules.of_object(kind, item)
        if causes:
            raise invalid(kind, metadata["name"], causes)
        self._admit(kind, namespace, item)
        if dry:
            return item
        made = self.store.add(kind, {"kind": kind.name, "apiVersion": kind.version, **item})
        if kind == kinds.NAMESPACE:
            self.create(kinds.SERVICE_ACCOUNT, made["metadata"]["name"], {"metadata": {"name": "default"}})
            root = {"metadata": {"name": "kube-root-ca.crt"}, "data": {"ca.crt": ""}}
            self.create(kinds.CONFIG_MAP, made["metadata"]["name"], root)
        return made

    def patch(
        self, kind: Kind, place: tuple[str, str], media_type: str, patch: Any, *, part: str = ""
    ) -> Object:
        """Change an object; raises Problem."""
        namespace, name = place
        before = self.store.get(kind, namespace, name)
        after = patches.apply(media_type, before, patch)
        if not isinstance(after.get("metadata"), dict):
            raise bad_request("metadata is gone")
        if after["metadata"].get("name") != name:
            raise bad_request(
                f"the name of the object ({after['metadata'].get('name')}) does not match "
                f"the name on the URL ({name})"
            )
        return self._update(kind, before, after, part)

    def put(self, kind: Kind, place: tuple[str, str], body: Object, *, part: str = "") -> Object:
        """Replace an object; raises Problem."""
        namespace, name = place
        self._fit(kind, namespace, body)
        if body["metadata"].get("name") != name:
            said = body["metadata"].get("name")
            raise bad_request(f"the name of the object ({said}) does not match the name on the URL ({name})")
        before = self.store.get(kind, namespace, name)
        return self._update(kind, before, deepcopy(body), part)

    def _update(self, kind: Kind, before: Object, after: Object, part: str) -> Object:
        models.check(kind, after)
        after = {**after, "metadata": dict(after["metadata"])}
        name = before["metadata"]["name"]
        version = after["metadata"].get("resourceVersion")
        if version and version != before["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        if part == "status":
            after = {**before, "status": after.get("status", {})}
        elif "status" in before:
            after["status"] = before["status"]
        uid = after["metadata"].get("uid")
        if uid and uid != before["metadata"]["uid"]:
            raise invalid(kind, name, [wrong("metadata.uid", uid, "field is immutable")])
        for kept in (
            "uid",
            "creationTimestamp",
            "generation",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ):
            after["metadata"].pop(kept, None)
            if kept in before["metadata"]:
                after["metadata"][kept] = before["metadata"][kept]
        causes = [*names.of_object(after), *podrules.of_object(kind, after)]
        causes += _frozen(kind, before, after)
        if causes:
            raise invalid(kind, name, causes)
        if before.get("spec") != after.get("spec") and "generation" in before["metadata"]:
            after["metadata"]["generation"] += 1
        return self.store.replace(kind, after)

    def set_status(self, kind: Kind, item: Object, status: Object) -> Object:
        """Put the status of an object as a controller does; gives the object, which may be gone."""
        metadata = item["metadata"]
        now = self.store.find(kind, metadata["namespace"], metadata["name"])
        if now is None or now["metadata"]["uid"] != metadata["uid"]:
            return item
        return self.store.replace(kind, {**now, "status": status})

    def change(self, kind: Kind, item: Object, **metadata: Any) -> Object:
        """Change fields of the metadata as a controller does; None takes one away."""
        now = self.store.find(kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
        if now is None or now["metadata"]["uid"] != item["metadata"]["uid"]:
            return item
        merged = {name: value for name, value in {**now["metadata"], **metadata}.items() if value is not None}
        return self.store.replace(kind, {**now, "metadata": merged})

    def delete(self, kind: Kind, place: tuple[str, str], options: Object) -> tuple[Object, bool]:
        """Delete an object; gives it and whether it is gone; raises Problem."""
        namespace, name = place
        item = self.store.get(kind, namespace, name)
        metadata = dict(item["metadata"])
        self._check_conditions(kind, item, options)
        if kind == kinds.POD and not self._shortens(item, metadata, options):
            return item, False
        finalizers = list(metadata.get("finalizers") or [])
        if kind != kinds.POD:
            finalizers = _for_dependents(kind, finalizers, options)
            if finalizers and "deletionTimestamp" not in metadata:
                metadata |= {"deletionTimestamp": stamp(), "deletionGracePeriodSeconds": 0}
                if "generation" in metadata:
                    metadata["generation"] += 1
        metadata["finalizers"] = finalizers
        if not finalizers:
            del metadata["finalizers"]
            if kind != kinds.POD or metadata["deletionGracePeriodSeconds"] == 0:
                return self.store.drop(kind, {**item, "metadata": metadata}), True
        return self.store.replace(kind, {**item, "metadata": metadata}), False

    def _shortens(self, pod: Object, metadata: Object, options: Object) -> bool:
        """Whether a delete makes a pod end earlier than it would; `metadata` is changed so."""
        asked = options.get("gracePeriodSeconds")
        grace = pod["spec"]["terminationGracePeriodSeconds"] if asked is None else asked
        grace = 1 if grace < 0 else grace
        if not pod["spec"].get("nodeName") or pod["status"].get("phase") in ("Succeeded", "Failed"):
            grace = 0
        if "deletionTimestamp" in metadata:
            if (asked is None and grace != 0) or grace >= metadata["deletionGracePeriodSeconds"]:
                return False
            # Made shorter, it still counts from when it was deleted first.
            asked_at = datetime.fromisoformat(metadata["deletionTimestamp"]).timestamp()
            asked_at -= metadata["deletionGracePeriodSeconds"]
        else:
            metadata["generation"] = metadata.get("generation", 1) + 1
            asked_at = time.time()
        # One that would be over by now ends now; what still has a grace then has the shortest.
        due = max(asked_at + grace, time.time())
        grace = 1 if grace and due > asked_at + grace else grace
        metadata["deletionTimestamp"] = stamp(due)
        metadata["deletionGracePeriodSeconds"] = grace
        return True

    def _check_conditions(self, kind: Kind, item: Object, options: Object) -> None:
        wanted = options.get("preconditions") or {}
        metadata = item["metadata"]
        for field, word in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
            if wanted.get(field) is not None and wanted[field] != metadata[field]:
                words = (
                    f"the {word} in the precondition ({wanted[field]}) does not match the {word} in record "
                    f"({metadata[field]}). The object might have been deleted and then recreated"
                )
                raise conflict(kind, metadata["name"], words, deleting=True)

    def _fit(self, kind: Kind, namespace: str, item: Object) -> None:
        said = (item.get("apiVersion", kind.version), item.get("kind", kind.name))
        if said != (kind.version, kind.name):
            raise bad_request(
                f'{said[1]} in version "{said[0].rpartition("/")[2]}" cannot be handled as a {kind.name}: '
                f"converting ({said[0]}.{said[1]}) to ({kind.group}.{kind.name}): unknown conversion"
            )
        metadata = item.setdefault("metadata", {})
        if not isinstance(metadata, dict):
            raise bad_request("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
        if kind.namespaced and metadata.setdefault("namespace", namespace) != namespace:
            raise bad_request(
                "the namespace of the provided object does not match the namespace sent on the request"
            )

    def _admit(self, kind: Kind, namespace: str, item: Object) -> None:
        if kind == kinds.POD:
            account = item["spec"]["serviceAccountName"]
            if self.store.find(kinds.SERVICE_ACCOUNT, namespace, account) is None:
                missing = f'serviceaccount "{account}" not found'
                words = f"error looking up service account {namespace}/{account}: {missing}"
                raise forbidden(kind, item["metadata"]["name"], words)
        quotas.check(self.store, kind, namespace, item)
        place = self.store.find(kinds.NAMESPACE, "", namespace)
        if place is not None and place["metadata"].get("deletionTimestamp"):
            words = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise forbidden(kind, item["metadata"]["name"], words)


def _for_dependents(kind: Kind, finalizers: list[str], options: Object) -> list[str]:
    policy = options.get("propagationPolicy")
    if policy is None and options.get("orphanDependents") is None and kind == kinds.JOB:
        policy = "Orphan"
    kept = [name for name in finalizers if name not in ("orphan", "foregroundDeletion")]
    if policy == "Orphan":
        return [*kept, "orphan"]
    return [*kept, "foregroundDeletion"] if policy == "Foreground" else kept


def _frozen(kind: Kind, before: Object, after: Object) -> list[Any]:
    causes = []
    for field in kind.immutable:
        value = (after.get("spec") or {}).get(field)
        if (before.get("spec") or {}).get(field) != value:
            causes.append(wrong(f"spec.{field}", value, "field is immutable"))
    if kind == kinds.POD and _fixed(before["spec"]) != _fixed(after.get("spec") or {}):
        causes.append(_pod_frozen())
    if (
        kind in (kinds.SECRET, kinds.CONFIG_MAP)
        and before.get("immutable")
        and (before.get("data") != after.get("data"))
    ):
        causes.append(_immutable("data"))
    if kind == kinds.SECRET and before.get("type") != after.get("type"):
        causes.append(wrong("type", after.get("type"), "field is immutable"))
    gone = before["metadata"].get("deletionTimestamp")
    new = set(after["metadata"].get("finalizers") or []) - set(before["metadata"].get("finalizers") or [])
    if gone and new:
        causes.append(_no_new_finalizers(new))
    return causes


def _fixed(spec: Object) -> Object:
    """What of a pod's spec never changes."""
    containers = [
        {name: value for name, value in container.items() if name != "image"}
        for container in spec.get("containers") or []
    ]
    open_ = (
        "containers",
        "activeDeadlineSeconds",
        "tolerations",
        "terminationGracePeriodSeconds",
        "initContainers",
    )
    return {name: value for name, value in spec.items() if name not in open_} | {"containers": containers}


def _pod_frozen() -> Any:
    return forbidden_field(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,"
        "`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )


def _immutable(field: str) -> Any:
    return forbidden_field(field, "field is immutable when `immutable` is set")


def _no_new_finalizers(names_: set[str]) -> Any:
    listed = ", ".join(f'"{name}"' for name in sorted(names_))
    return forbidden_field(
        "metadata.finalizers",
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{listed}}}",
    )
