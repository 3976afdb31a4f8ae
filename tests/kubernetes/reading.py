"""What a client may ask of a pod's log, and what is refused."""

import time
from dataclasses import dataclass

from tests.kubernetes.podlogs import Options, log_time, read_time
from tests.kubernetes.problems import Object, Problem, bad_request

_PULLING = ("ErrImagePull", "ImagePullBackOff")


@dataclass(frozen=True)
class LogQuery:
    """Which container's log is asked for, and how."""

    container: str
    options: Options


def log_query(pod: Object, words: dict[str, str]) -> LogQuery:
    """Read a query; raises Problem."""
    name = pod["metadata"]["name"]
    container = _container(pod, words.get("container", ""))
    since = ""
    if "sinceTime" in words:
        try:
            since = read_time(words["sinceTime"])
        except ValueError:
            said = words["sinceTime"]
            raise bad_request(
                f'parsing time "{said}" as "2006-01-02T15:04:05Z07:00": cannot parse "{said}"'
            ) from None
    if "sinceSeconds" in words:
        seconds = _number(name, words, "sinceSeconds", 1) or 0
        since = log_time(time.time_ns() - seconds * 10**9).decode()
    options = Options(
        follow=_flag(words, "follow"),
        timestamps=_flag(words, "timestamps"),
        since=since,
        tail=_number(name, words, "tailLines", 0),
        limit=_number(name, words, "limitBytes", 1),
    )
    if _flag(words, "previous"):
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    if pod["spec"].get("nodeName"):
        _check_started(pod, container)
    return LogQuery(container, options)


def _container(pod: Object, wanted: str) -> str:
    name = pod["metadata"]["name"]
    containers = [item["name"] for item in pod["spec"]["containers"]]
    inits = [item["name"] for item in pod["spec"].get("initContainers") or []]
    if not wanted:
        if len(containers) > 1:
            choice = f"[{' '.join(containers)}]"
            if inits:
                choice += f" or one of the init containers: [{' '.join(inits)}]"
            raise bad_request(f"a container name must be specified for pod {name}, choose one of: {choice}")
        return str(containers[0])
    if wanted not in (*containers, *inits):
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    return wanted


def _check_started(pod: Object, container: str) -> None:
    status = pod["status"]
    known = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    state = next((item["state"] for item in known if item["name"] == container), {"waiting": {}})
    waiting = state.get("waiting")
    if waiting is None:
        return
    reason = waiting.get("reason", "ContainerCreating")
    if reason in _PULLING:
        reason = (
            "image can't be pulled" if reason == "ImagePullBackOff" else "trying and failing to pull image"
        )
        reason = "trying and failing to pull image"
    name = pod["metadata"]["name"]
    raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {reason}')


def _number(pod: str, words: dict[str, str], name: str, least: int) -> int | None:
    if name not in words:
        return None
    try:
        value = int(words[name])
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{words[name]}": invalid syntax') from None
    if value < least:
        said = "must be greater than 0" if least else "must be greater than or equal to 0"
        message = f"Invalid value: {value}: {said}"
        raise Problem(
            422,
            "Invalid",
            f'PodLogOptions "{pod}" is invalid: {name}: {message}',
            {
                "name": pod,
                "kind": "PodLogOptions",
                "causes": [{"reason": "FieldValueInvalid", "message": message, "field": name}],
            },
        )
    return value


def _flag(words: dict[str, str], name: str) -> bool:
    return words.get(name, "").lower() in ("true", "1", "t")
