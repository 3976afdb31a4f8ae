"""What the configured engine can do: whatever would have no effect on it is a mistake, told in a sentence.

Works on plain data, so that it can tell its mistakes beside all others.
"""

from collections.abc import Iterator, Mapping

from bot.config.document import Document, Path, Value

_CHECKOUT = "the process engine runs checkouts; for this engine.kind has to be container"
_DOCKERFILE = "the container engine builds by the Dockerfile alone, so what is to be set up belongs there"

_IMAGE = {"process": dict.fromkeys(("reference", "workload", "push"), _CHECKOUT), "container": {}}
_BUILD = {
    "process": dict.fromkeys(("context", "dockerfile", "target", "arguments", "secrets"), _CHECKOUT),
    "container": {"setup": _DOCKERFILE},
}
_JOB = {
    "process": {"read_only": "the process engine has no root of its own to protect; containers have"},
    "container": {},
}
"""By engine: keys without effect, and what is told of them."""

_NO_IMAGE = "image is required: the container engine runs every job in one"
_NO_CHECKOUT = "expected a whole path such as /etc/shop.ini: there is no checkout on the container engine"


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
    for name, job in _sections(data, "jobs"):
        _refuse(document, ("jobs", name), job, _JOB[kind])
        if kind == "container":
            _check_contained(document, ("jobs", name), job)


def _check_contained(document: Document, path: Path, job: Mapping[str, Value]) -> None:
    if job.get("image") is None:
        document.wrong(path, _NO_IMAGE, key=True)
    files = job.get("files")
    for file in files if isinstance(files, dict) else ():
        if not file.startswith("/"):
            document.wrong(document.written((*path, "files", file)), _NO_CHECKOUT, key=True)


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
