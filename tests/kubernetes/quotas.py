"""What a ResourceQuota lets a namespace have. https://kubernetes.io/docs/concepts/policy/resource-quotas/"""

from tests.kubernetes import kinds
from tests.kubernetes.kinds import Kind
from tests.kubernetes.podrules import amount
from tests.kubernetes.problems import Object, forbidden
from tests.kubernetes.store import Store

_COUNTED = {
    kinds.POD: "pods",
    kinds.JOB: "count/jobs.batch",
    kinds.SECRET: "secrets",
    kinds.CONFIG_MAP: "configmaps",
}


def check(store: Store, kind: Kind, namespace: str, item: Object) -> None:
    """Raise Problem where the quota of a namespace has no room for a new object."""
    for quota in store.all(kinds.QUOTA, namespace):
        hard: dict[str, str] = (quota.get("spec") or {}).get("hard") or {}
        asked = {name: value for name, value in _uses(kind, item).items() if name in hard}
        used = _used(store, kind, namespace)
        over = [name for name in asked if used.get(name, 0.0) + asked[name] > amount(hard[name])]
        if over:
            said = [
                ",".join(f"{name}={_plain(values.get(name, 0.0))}" for name in over)
                for values in (asked, used)
            ]
            limited = ",".join(f"{name}={hard[name]}" for name in over)
            words = f"exceeded quota: {quota['metadata']['name']}, requested: {said[0]}, used: {said[1]}, limited: {limited}"
            raise forbidden(kind, item["metadata"]["name"], words)


def _uses(kind: Kind, item: Object) -> dict[str, float]:
    uses = {_COUNTED[kind]: 1.0} if kind in _COUNTED else {}
    if kind == kinds.POD:
        for container in item["spec"]["containers"]:
            for sort in ("requests", "limits"):
                for name, value in (container["resources"].get(sort) or {}).items():
                    key = f"{sort}.{name}"
                    uses[key] = uses.get(key, 0.0) + amount(value)
    return uses


def _used(store: Store, kind: Kind, namespace: str) -> dict[str, float]:
    total: dict[str, float] = {}
    for item in store.all(kind, namespace):
        if kind == kinds.POD and item["status"].get("phase") in ("Succeeded", "Failed"):
            continue
        for name, value in _uses(kind, item).items():
            total[name] = total.get(name, 0.0) + value
    return total


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
