"""A run repeated by a form: what the form is filled in with, and the command that it stands for. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.commands import parser
from bot.errors import Unfit
from bot.handlers.start import StartRequest
from bot.tables import Run
from bot.text import refs


def repetition(job: Job, old: Run, request: StartRequest, old_tag: str | None) -> parser.Command:
    """`rerun` where only parameters are other than in `old`, and can be changed in what it ran.

    Else the job of today is started with all that the form says: on the commit of `old`, or its tag, unless
    the form names another. `old_tag` is the tag that it ran.
    """
    values = dict(request.parameters)
    fits, pinned = True, in_place(old, request, old_tag)
    try:
        values = job.resolve(request.parameters)
    except Unfit:
        fits = False  # what does not fit is told by whoever starts it
    changes = {name: value for name, value in values.items() if old.parameters.get(name) != value}
    gone = [name for name in old.parameters if name in job.parameters and name not in values]
    frozen: Mapping[str, object] = old.definition.get("parameters") or {}
    if (
        fits
        and pinned is not None
        and not gone
        and changes.keys() <= frozen.keys()
        and request.arguments == tuple(old.arguments)
    ):
        return parser.Rerun(old.number, None, changes, override=request.override)
    return run_command(job.name, (fits and pinned) or request)


def in_place(old: Run, request: StartRequest, old_tag: str | None) -> StartRequest | None:
    """The request on the very commit of `old`, or its tag; None where it names another one."""
    if request.ref not in (None, ref_of(old)) or request.image_tag not in (None, old_tag):
        return None
    return replace(request, ref=None if old_tag else old.commit, image_tag=old_tag)


def run_command(name: str, request: StartRequest) -> parser.Run:
    """The command that starts a job so."""
    values = (dict(request.parameters), request.ref, request.image_tag, request.arguments)
    return parser.Run(name, *values, request.override, request.at, request.delay)


def ref_of(run: Run) -> str | None:
    """What a run was started from, where somebody could type it."""
    return run.ref if run.commit is not None and run.ref is not None and refs.is_name(run.ref) else None


def tag_of(run: Run, image: Image | None) -> str | None:
    """The tag that a run ran instead of what the image of its job says; None where it ran that."""
    definition: Mapping[str, object] = run.image_definition or {}
    reference = definition.get("reference")
    if image is None or image.registry is None or not isinstance(reference, str):
        return None
    if reference == image.reference or not reference.startswith(f"{image.registry}:"):
        return None
    return reference.removeprefix(f"{image.registry}:")
