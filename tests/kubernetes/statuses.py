"""The status of a pod as a kubelet writes it. Pure."""

from dataclasses import dataclass, field
from typing import Any

from tests.kubernetes.problems import Object
from tests.kubernetes.store import stamp
from tests.kubernetes.telling import NODE

_UNREADY = "ContainersNotReady"
_DISRUPTION = "DisruptionTarget"


@dataclass
class ContainerState:
    """What is known of one container; `state` has one of waiting, running, terminated.

    `is_sidecar`: an init container that is restarted always; `last` is how it ended the time before.
    """

    name: str
    image: str
    state: Object
    image_id: str = ""
    container_id: str = ""
    user: tuple[int, int, tuple[int, ...]] | None = None
    is_sidecar: bool = False
    restarts: int = 0
    last: Object = field(default_factory=dict)

    @property
    def is_initialized(self) -> bool:
        """Whether those after it may start, as it is an init container."""
        return "running" in self.state or self.restarts > 0 if self.is_sidecar else self.code == 0

    @property
    def code(self) -> int | None:
        """Its exit code once it has ended."""
        code: int | None = self.state.get("terminated", {}).get("exitCode")
        return code

    def status(self, *, is_init: bool = False) -> Object:
        """Give its `containerStatuses` entry."""
        runs = "running" in self.state
        done: Object = {
            "name": self.name,
            "state": self.state,
            "lastState": self.last,
            "ready": (self.code == 0) if is_init and not self.is_sidecar else runs,
            "restartCount": self.restarts,
            "image": self.image,
            "imageID": self.image_id,
            "started": runs,
        }
        if self.container_id:
            done["containerID"] = self.container_id
            done["resources"] = {}
        if self.user is not None:
            uid, gid, groups = self.user
            done["user"] = {"linux": {"uid": uid, "gid": gid, "supplementalGroups": list(groups)}}
        return done


@dataclass
class PodState:
    """What is known of a pod's containers."""

    inits: list[ContainerState]
    containers: list[ContainerState]
    sandbox: bool = False
    ended: bool = False
    evicted: tuple[str, str] | None = None
    ip: str = ""
    since: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        """The pod's phase; `ended` is whether all of it was told to be over."""
        if self.evicted:
            return "Failed"
        if self.ended:
            codes = [item.code for item in (*self.inits, *self.containers) if not item.is_sidecar]
            return "Succeeded" if all(code == 0 for code in codes) else "Failed"
        if any("waiting" in item.state for item in self.containers):
            return "Pending"
        return "Running" if self.containers else "Pending"


def status_of(pod: Object, state: PodState) -> Object:
    """Give the status of a pod; times of conditions that stay are kept."""
    before = pod["status"]
    generation = pod["metadata"].get("generation", 1)
    phase = state.phase
    done: Object = {"observedGeneration": generation, "phase": phase}
    done["conditions"] = _conditions(before, state, phase, generation)
    if state.evicted:
        done["reason"], done["message"] = state.evicted
    done |= {"hostIP": NODE, "hostIPs": [{"ip": NODE}]}
    if state.ip:
        done |= {"podIP": state.ip, "podIPs": [{"ip": state.ip}]}
    done["startTime"] = before.get("startTime") or stamp()
    if state.inits:
        done["initContainerStatuses"] = [item.status(is_init=True) for item in state.inits]
    done["containerStatuses"] = [item.status() for item in state.containers]
    done["qosClass"] = before["qosClass"]
    return done


def _conditions(before: Object, state: PodState, phase: str, generation: int) -> list[Object]:
    initialized = all(item.is_initialized for item in state.inits)
    unready = [item.name for item in state.containers if "running" not in item.state]
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
    if not over and unready and all(item.code is not None for item in state.containers):
        over = "PodCompleted" if all(item.code == 0 for item in state.containers) else "PodFailed"
    words: dict[str, Any] = {}
    if unready:
        words = {"reason": over or _UNREADY}
        if not over:
            words["message"] = f"containers with unready status: [{' '.join(unready)}]"
    undone = [item.name for item in state.inits if not item.is_initialized]
    first: dict[str, Any] = {}
    if undone:
        first = {"reason": "ContainersNotInitialized"}
        first["message"] = f"containers with incomplete status: [{' '.join(undone)}]"
    elif over == "PodCompleted":
        first = {"reason": over}
    made = [
        ("PodReadyToStartContainers", state.sandbox, {}),
        ("Initialized", initialized, first),
        ("Ready", not unready, words),
        ("ContainersReady", not unready, words),
        ("PodScheduled", True, {}),
    ]
    known = {item["type"]: item for item in before.get("conditions") or []}
    disruption = [known[_DISRUPTION]] if _DISRUPTION in known else []
    if state.evicted:
        told = {"reason": "TerminationByKubelet", "message": state.evicted[1]}
        disruption = disrupted(disruption, told)
    return disruption + [
        {"type": type_, "observedGeneration": generation, "status": str(is_true), "lastProbeTime": None}
        | {"lastTransitionTime": _since(known.get(type_), str(is_true))}
        | more
        for type_, is_true, more in made
    ]


def _since(known: Object | None, status: str) -> str:
    if known is not None and known["status"] == status:
        return str(known["lastTransitionTime"])
    return stamp()


def disrupted(conditions: list[Object], told: Object) -> list[Object]:
    """Give the conditions with that of a disruption, which keeps the time when it came first."""
    others = [one for one in conditions if one["type"] != _DISRUPTION]
    before = next((one for one in conditions if one["type"] == _DISRUPTION), {})
    since = before.get("lastTransitionTime") or stamp()
    made = {"type": _DISRUPTION, "status": "True", "lastProbeTime": None, "lastTransitionTime": since}
    return [*others, made | told]


def first(item: Object, waits: str) -> ContainerState:
    """Give the state of a container that was not begun, which waits for `waits`."""
    return ContainerState(item["name"], item["image"], {"waiting": {"reason": waits}})
