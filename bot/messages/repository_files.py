"""What is said of the file in which a repository defines jobs: as a check of the commit that has it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.catalog.annotations import FAILURE, Annotation
from bot.catalog.catalog import Job
from bot.catalog.conditions import ConfigMapReference, SecretReference
from bot.catalog.images import Image
from bot.messages.checks import SUMMARY_CHARACTERS, TITLE_CHARACTERS, CheckFields
from bot.messages.statuses import DESCRIPTION_CHARACTERS, StatusFields, basic
from bot.messages.text import code, codes, iso, plain, shortened
from bot.text.units import duration_text, size_text

_ID = re.compile(r"file:([1-9][0-9]{0,18}):([A-Za-z0-9_-]{1,128})", re.ASCII)
SHOWN = 50
"""Jobs that are told of, and mistakes in the summary."""


@dataclass(frozen=True, slots=True)
class FileNote:
    """A mistake at a place of the file, both from 1."""

    line: int
    column: int
    text: str


@dataclass(frozen=True, slots=True)
class FileReport:
    """What a check says; `conclusion` is `success` or `failure`. A post keeps it in plain values."""

    conclusion: str
    title: str
    summary: str
    notes: tuple[FileNote, ...] = ()

    def stored(self) -> dict[str, Any]:
        """As a post keeps it."""
        return asdict(self)

    @classmethod
    def of_stored(cls, kept: Mapping[str, Any]) -> "FileReport":
        """From what a post keeps."""
        notes = tuple(FileNote(**each) for each in kept["notes"])
        return cls(kept["conclusion"], kept["title"], kept["summary"], notes)


@dataclass(frozen=True, slots=True)
class Defined:
    """Jobs and images by the names that hold here."""

    jobs: Mapping[str, Job] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)


def wrong_file(notes: Sequence[FileNote], *, kept: bool, proposed: bool = False) -> FileReport:
    """It cannot be used. `kept`: an earlier one holds; `proposed`: it is on no default branch yet."""
    count = len(notes)
    title = "It has a mistake" if count == 1 else f"It has {count} mistakes"
    lines = [f"- line {note.line}, column {note.column}: {plain(note.text, 500)}" for note in notes[:SHOWN]]
    more = [f"- and {count - SHOWN} more"] if count > SHOWN else []
    after = "What was in force before stays so." if kept else "No job of it is defined."
    if proposed:
        after = "Merged as it is, it would change nothing of what is in force."
    summary = "\n".join([*lines, *more, "", after])
    return FileReport("failure", f"{title}: {after}", summary, tuple(notes))


def changed_file(old: Defined, new: Defined, *, proposed: bool = False) -> FileReport:
    """Which jobs appear, change or go, and what a run of each gets; `proposed` as in `wrong_file`."""
    added = sorted(new.jobs.keys() - old.jobs.keys())
    gone = sorted(old.jobs.keys() - new.jobs.keys())
    changed = sorted(name for name in new.jobs.keys() & old.jobs.keys() if _changes(name, old, new))
    same = len(new.jobs) - len(added) - len(changed)
    counts = [(len(added), "added"), (len(changed), "changed"), (len(gone), "removed"), (same, "unchanged")]
    title = ", ".join(f"{count} {word}" for count, word in counts if count) or "no jobs"
    lines = [_head(proposed)]
    for name in added[:SHOWN]:
        lines += [f"- {code(name)} is new", *_facts(new.jobs[name], new)]
    for name in changed[:SHOWN]:
        keys = codes(_changes(name, old, new))
        lines += [f"- {code(name)} changes: {keys}", *_facts(new.jobs[name], new)]
    lines += [f"- {code(name)} goes; its history stays" for name in gone[:SHOWN]]
    left = sum(max(len(names) - SHOWN, 0) for names in (added, changed, gone))
    lines += [f"- and {left} more"] if left else []
    lines += [f"- image {code(name)} {what}" for name, what in _image_changes(old, new)[:SHOWN]]
    return FileReport("success", f"Jobs: {title}", "\n".join(lines))


@dataclass(frozen=True, slots=True)
class FileCheckName:
    """By what the check of a file is found again: its post, and its unguessable word."""

    number: int
    nonce: str

    def __str__(self) -> str:
        return f"file:{self.number}:{self.nonce}"

    @classmethod
    def read(cls, external_id: str) -> "FileCheckName | None":
        """What an `external_id` says, None for another one."""
        found = _ID.fullmatch(external_id)
        return None if found is None else cls(int(found[1]), found[2])


def file_check(name: str, report: FileReport, of: FileCheckName, *, now: float) -> CheckFields:
    """The check run; its annotations go with `in_requests`. `name` is the check's."""
    return CheckFields(
        name=name,
        status="completed",
        conclusion=report.conclusion,
        title=shortened(report.title, TITLE_CHARACTERS),
        summary=shortened(report.summary, SUMMARY_CHARACTERS),
        text=None,
        details_url=None,
        external_id=str(of),
        started_at=None,
        completed_at=iso(now),
    )


def file_annotations(file: str, report: FileReport) -> list[Annotation]:
    """What stands beside the lines of the file."""
    return [Annotation(FAILURE, note.text, file, note.line, note.line, note.column) for note in report.notes]


def file_status(name: str, report: FileReport) -> StatusFields:
    """The same as a commit status."""
    return StatusFields(
        state="failure" if report.conclusion == "failure" else "success",
        context=name,
        description=shortened(basic(report.title), DESCRIPTION_CHARACTERS),
        target_url=None,
    )


def _head(proposed: bool) -> str:
    if proposed:
        return "Once this is on the default branch, and not before:\n"
    return "In force from now on:\n"


def _changes(name: str, old: Defined, new: Defined) -> list[str]:
    """The keys of a job that differ, the image's included."""
    was, now = (each.jobs[name].model_dump(mode="json") for each in (old, new))
    keys = [key for key in now if was.get(key) != now[key]]
    image = new.jobs[name].image or ""
    if "image" not in keys and old.images.get(image) != new.images.get(image):
        keys.append(f"image {image}")
    return keys


def _image_changes(old: Defined, new: Defined) -> list[tuple[str, str]]:
    """The images that differ by name, each with what becomes of it."""
    names = sorted({*old.images, *new.images})
    other = [name for name in names if old.images.get(name) != new.images.get(name)]
    words = {(False, True): "is new", (True, False): "goes", (True, True): "changes"}
    return [(name, words[name in old.images, name in new.images]) for name in other]


def _facts(job: Job, defined: Defined) -> Iterator[str]:
    """What a run would get, in indented lines: of variables the names alone."""
    image = defined.images.get(job.image or "")
    of = f", of {code(image.origin)}" if image is not None else ""
    yield f"  - image: {code(job.image)}{of}" if job.image else "  - no image: it runs in an empty directory"
    if job.parameters:
        yield f"  - parameters: {codes(job.parameters)}"
    if job.env:
        yield f"  - variables: {codes(job.env)}"
    kept = [value for value in job.env.values() if not isinstance(value, str)]
    if kept:
        yield f"  - of secrets and ConfigMaps: {codes(dict.fromkeys(_kept_in(value) for value in kept))}"
    limits = [f"at most {duration_text(job.timeout)}", *_resources(job)]
    yield f"  - {', '.join(limits)}"
    if job.locks:
        yield f"  - one at a time, by the lock {codes(job.locks)}"
    if job.approval is not None:
        yield "  - somebody else's yes is needed"
    if job.service_account is not None:
        who = code(job.service_account) if job.service_account else "nobody"
        yield f"  - it acts as {who} in the cluster"
    for each in job.schedules:
        yield f"  - starts by itself: {code(each.cron)} ({plain(each.timezone, 60)})"
    if job.starters:
        yield f"  - starts with {', '.join(plain(each, 200) for each in job.starters)}"


def _kept_in(value: SecretReference | ConfigMapReference) -> str:
    return value.secret if isinstance(value, SecretReference) else value.configmap


def _resources(job: Job) -> Iterator[str]:
    if job.size is not None:
        yield f"size {code(job.size)}"
    resources = job.resources
    if resources is not None:
        if resources.cpu:
            yield f"{resources.cpu:g} cores"
        if resources.memory:
            yield size_text(resources.memory)
        if resources.gpu:
            yield f"{resources.gpu} GPU"
