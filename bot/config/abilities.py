"""What the configured engine can do: whatever would have no effect on it is a mistake, told in a sentence.

Works on plain data, so that it can tell its mistakes beside all others.
"""

from collections.abc import Iterator, Mapping

from bot.catalog.images import CLUSTERED
from bot.config.config import NO_CONFIGMAPS
from bot.config.document import Document, Path, Value

_CHECKOUT = "the process engine runs checkouts; for this engine.kind has to be container or kubernetes"
_DOCKERFILE = "images are built by the Dockerfile alone, so what is to be set up belongs there"
_CLUSTER = "containers of this machine have none; for this engine.kind has to be kubernetes"

_IMAGE = {
    "process": dict.fromkeys(("reference", "workload", "namespace", "container", "push"), _CHECKOUT),
    "container": dict.fromkeys(("namespace", "container"), _CLUSTER),
    "kubernetes": {},
}
_BUILD = {
    "process": dict.fromkeys(("context", "dockerfile", "target", "arguments", "secrets"), _CHECKOUT),
    "container": {"setup": _DOCKERFILE},
    "kubernetes": {"setup": _DOCKERFILE},
}
_NO_ACCOUNTS = "only a cluster has service accounts; for this engine.kind has to be kubernetes"
_JOB = {
    "process": {
        "read_only": "the process engine has no root of its own to protect; containers have",
        "service_account": _NO_ACCOUNTS,
    },
    "container": {"service_account": _NO_ACCOUNTS},
    "kubernetes": {},
}
"""By engine: keys without effect, and what is told of them."""

_NO_IMAGE = "image is required: the {} engine runs every job in one"
_NO_CHECKOUT = "expected a whole path such as /etc/shop.ini: there is no checkout on the {} engine"
_NO_PUSH = "push is required: the nodes of a cluster take what was built from a registry"
_HERE = (
    "expected container/NAME, a container that runs on this machine; others are for engine.kind kubernetes"
)
_THERE = f"expected a workload of the cluster: {', '.join(CLUSTERED)}, each with /NAME"
_NOTHING_TO_MASK = "a ConfigMap keeps no secrets, and what it says is not masked; keep this in a Secret"


def kind_of(data: Mapping[str, Value]) -> str | None:
    """The configured engine; None where the file says none that exists."""
    engine = data.get("engine")
    kind = engine.get("kind", "process") if isinstance(engine, dict) else "process"
    return kind if isinstance(kind, str) and kind in _JOB else None


def check_abilities(document: Document, data: Mapping[str, Value]) -> None:
    """Add to the mistakes of `document` what the engine of `data` can do nothing with."""
    kind = kind_of(data)
    if kind is None:
        return
    for name, image in _sections(data, "images"):
        _refuse(document, ("images", name), image, _IMAGE[kind])
        build = image.get("build")
        if isinstance(build, dict):
            _refuse(document, ("images", name, "build"), build, _BUILD[kind])
            if kind == "kubernetes" and image.get("push") is None:
                document.wrong(("images", name), _NO_PUSH, key=True)
        _check_workload(document, ("images", name, "workload"), image.get("workload"), kind)
    for name, job in _sections(data, "jobs"):
        _refuse(document, ("jobs", name), job, _JOB[kind])
        if kind != "process":
            _check_contained(document, ("jobs", name), job, kind)
        _check_configmaps(document, ("jobs", name), job, kind)


def _check_workload(document: Document, path: Path, workload: Value, kind: str) -> None:
    if kind == "process" or not isinstance(workload, str) or path in document.unusable:
        return
    found = workload.partition("/")[0]
    if kind == "container" and found in CLUSTERED:
        document.wrong(path, _HERE)
    elif kind == "kubernetes" and found == "container":
        document.wrong(path, _THERE)


def _check_configmaps(document: Document, path: Path, job: Mapping[str, Value], kind: str) -> None:
    """Only a cluster has ConfigMaps, and nothing masks what they say."""
    env, mask = job.get("env"), job.get("mask")
    for name, value in env.items() if isinstance(env, dict) else ():
        if not isinstance(value, dict) or "configmap" not in value:
            continue
        if kind != "kubernetes":
            document.wrong(document.written((*path, "env", name)), NO_CONFIGMAPS)
        elif isinstance(mask, list) and name in mask:
            document.wrong(document.written((*path, "mask")), f"{name}: {_NOTHING_TO_MASK}", key=True)


def _check_contained(document: Document, path: Path, job: Mapping[str, Value], kind: str) -> None:
    if job.get("image") is None:
        document.wrong(path, _NO_IMAGE.format(kind), key=True)
    files = job.get("files")
    for file in files if isinstance(files, dict) else ():
        if not file.startswith("/"):
            document.wrong(document.written((*path, "files", file)), _NO_CHECKOUT.format(kind), key=True)


def _refuse(
    document: Document, path: Path, section: Mapping[str, Value], without_effect: Mapping[str, str]
) -> None:
    for key, why in without_effect.items():
        if section.get(key) not in (None, False):
            document.wrong(document.written((*path, key)), why, key=True)


def _sections(data: Mapping[str, Value], key: str) -> Iterator[tuple[str, dict[str, Value]]]:
    section = data.get(key)
    items = section.items() if isinstance(section, dict) else ()
    return ((name, value) for name, value in items if isinstance(value, dict))
