"""What `after` and `then` say of other jobs: that these are there, fit, and lead round in no circle."""

from collections.abc import Mapping

from bot.catalog.catalog import Job
from bot.catalog.chains import After, Then, circle
from bot.catalog.images import Image
from bot.config.document import Document, Path
from bot.errors import Unfit
from bot.text.wording import nearest

Jobs = Mapping[str, Job]


def check_chains(document: Document, jobs: Jobs, images: Mapping[str, Image], beside: Jobs) -> None:
    """Add to the mistakes of `document` what its `jobs` say wrongly; `beside` are others that there are."""
    known, circles = {**beside, **jobs}, set[frozenset[str]]()
    before = _before(known)
    for name, job in jobs.items():
        for index, earlier in enumerate(job.predecessors):
            if what := _wrong_after(job, earlier, known, images):
                document.wrong(_place(document, name, "after", index), what)
        for index, later in enumerate(job.successors):
            if what := _wrong_then(job, later, known):
                document.wrong(_place(document, name, "then", index), what)
        found = circle(before, name) or []
        if len(found) > 2 and frozenset(found) not in circles:  # one that names itself was told
            circles.add(frozenset(found))
            path = document.written(("jobs", name, "then" if job.then else "after"))
            document.wrong(path, f"{' -> '.join(found)} is a circle, which would never end")


def _place(document: Document, name: str, key: str, index: int) -> Path:
    """Where the entry is written: among several, or alone."""
    path = document.written(("jobs", name, key))
    several = (*path, index)
    return several if several in document.values else path


def _before(jobs: Jobs) -> dict[str, list[str]]:
    before: dict[str, list[str]] = {}
    for name, job in jobs.items():
        before.setdefault(name, []).extend(each.job for each in job.predecessors)
        for later in job.successors:
            before.setdefault(later.job, []).append(name)
    return before


def _missing(job: Job, name: str, known: Jobs) -> str | None:
    if name == job.name:
        return "a job does not wait for itself, nor does it start itself"
    if name in known:
        return None
    near = nearest(name, known)
    return f"there is no job {name}" + (f"; did you mean {near}?" if near else "")


def _wrong_after(job: Job, after: After, known: Jobs, images: Mapping[str, Image]) -> str | None:
    if (what := _missing(job, after.job, known)) is not None:
        return what
    mine, theirs = images.get(job.image or ""), images.get(known[after.job].image or "")
    if after.of == "image":
        of_none = next(
            (each.name for each, one in ((job, mine), (known[after.job], theirs)) if one is None), None
        )
        return None if of_none is None else f"{of_none} has no image, so there is none to compare"
    for name, image in ((job.name, mine), (after.job, theirs)):
        if image is None or image.repository is None:
            return f"the image of {name} is not built here, so its runs are of no commit; try of: image"
    repositories = [(one and one.repository) or "" for one in (mine, theirs)]
    if repositories[0].casefold() != repositories[1].casefold():
        return f"{after.job} is of {repositories[1]}, whose commits are others"
    return None


def _wrong_then(job: Job, then: Then, known: Jobs) -> str | None:
    if (what := _missing(job, then.job, known)) is not None:
        return what
    try:
        known[then.job].resolve(then.parameters)
    except Unfit as error:
        return f"{then.job} does not take this: {error.mistakes[0][1]}"
    return None
