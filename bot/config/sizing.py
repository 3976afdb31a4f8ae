"""What a job may use: sizes by name, resources, and what the engine can limit at all."""

import sys
from collections.abc import Iterator, Mapping

from bot.catalog.catalog import Job
from bot.catalog.conditions import Resources
from bot.config.abilities import kind_of
from bot.config.document import Document, Path, Value
from bot.text.wording import nearest

LIMITED = frozenset({"memory"} if sys.platform == "linux" else ())
"""What the process engine can limit on this system, which has to honour RLIMIT_DATA for memory."""

_CONTAINED = frozenset({"cpu", "memory"})
"""What the container engine can limit."""


def sized(job: Job, sizes: Mapping[str, Resources], engine: str) -> Job:
    """`job` with the resources of its size, as they are frozen into its runs.

    ValueError with a sentence for a size that is none, for both, for more than any size allows, and for
    what the `engine` of that kind cannot limit.
    """
    own = job.resources
    if job.size is not None:
        if own is not None and own != sizes.get(job.size):
            raise ValueError("either size or resources; not both")
        if job.size not in sizes:
            raise ValueError(_no_size(job.size, sizes))
        return job.model_copy(update={"resources": sizes[job.size]})
    if own is not None:
        for name in ("cpu", "memory", "gpu"):
            if getattr(own, name) and (problem := _unlimited(name, engine)):
                raise ValueError(problem)
        if problem := _too_much(own, sizes):
            raise ValueError(problem)
    return job


def check_sizes(document: Document, data: Mapping[str, Value]) -> None:
    """Add to the mistakes of `document` what `sizes`, `size` and `resources` in `data` say wrongly."""
    sizes = data.get("sizes")
    sizes = sizes if isinstance(sizes, dict) else {}
    engine = kind_of(data)
    for path, resources in _resources(data, sizes) if engine else ():
        for name in ("cpu", "memory", "gpu"):
            problem = _unlimited(name, engine or "")
            if resources.get(name) not in (None, 0) and problem:
                document.wrong(document.written((*path, name)), problem, key=True)
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if not isinstance(job, dict):
            continue
        size = job.get("size")
        if size is not None and job.get("resources") is not None:
            path = document.written(("jobs", name, "size"))
            document.wrong(path, "either size or resources; not both", key=True)
        if isinstance(size, str) and size not in sizes:
            document.wrong(document.written(("jobs", name, "size")), _no_size(size, sizes))


def check_allowance(document: Document, jobs: Mapping[str, Job], sizes: Mapping[str, Resources]) -> None:
    """Add jobs whose own resources are more than any size allows."""
    for name, job in jobs.items():
        if job.size is None and job.resources is not None and (problem := _too_much(job.resources, sizes)):
            document.wrong(document.written(("jobs", name, "resources")), problem, key=True)


def _resources(
    data: Mapping[str, Value], sizes: Mapping[str, Value]
) -> Iterator[tuple[Path, Mapping[str, Value]]]:
    for name, size in sizes.items():
        if isinstance(size, dict):
            yield ("sizes", name), size
    jobs = data.get("jobs")
    for name, job in jobs.items() if isinstance(jobs, dict) else ():
        if isinstance(job, dict) and isinstance(resources := job.get("resources"), dict):
            yield ("jobs", name, "resources"), resources


def _no_size(name: str, sizes: Mapping[str, object]) -> str:
    near = nearest(name, sizes)
    return f"there is no size {name[:60]}" + (f"; did you mean {near}?" if near else "")


def _unlimited(name: str, engine: str) -> str | None:
    if engine == "kubernetes" or name in (LIMITED if engine == "process" else _CONTAINED):
        return None
    if engine == "container":
        return f"{name} cannot be given by the container engine; cpu and memory can be limited"
    if name == "memory":
        return "memory cannot be limited by the process engine on this system; Linux can"
    return f"{name} cannot be limited by the process engine; memory can"


def _too_much(own: Resources, sizes: Mapping[str, Resources]) -> str | None:
    for name in ("cpu", "memory", "gpu"):
        amount = getattr(own, name)
        most = max((getattr(size, name) or 0 for size in sizes.values()), default=0)
        if amount and most and amount > most:
            return f"{name} is more than any of sizes allows"
    return None
