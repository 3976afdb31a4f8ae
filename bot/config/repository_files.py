"""The file of a repository: its jobs and images, checked like those of `app.yaml`, within what that allows.

Nothing of it is replaced from Errand's environment, and of the server's file only what governs jobs (the
keys of `defaults` that do not say what a job is) holds for it, too. Names get the repository's prefix.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.images import Image
from bot.config.config import Config
from bot.config.document import Document, Mistake, Path, TextPosition, Value, path_text, read
from bot.config.loading import checked
from bot.config.repository_bounds import Bounds, check_bounds, check_parsed
from bot.config.repository_rules import OWN, RepositoryRules

LIMIT = 64 * 1024
"""Bytes of the file: as many are read in a quarter of a second, and in one if they are meant to take long."""
SHOWN = 100
"""Mistakes that are kept of one file."""
_SECTIONS = ("images", "jobs")
_BRACKETS = re.compile(rb"[\[\]{}]")
_OPEN = 100
"""Brackets that may be open at one place of a file, those in its texts as well."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the file is: the repository as it is known here, its rules, and what its names begin with."""

    repository: str
    rules: RepositoryRules
    prefix: str

    def named(self, name: str) -> str:
        """What a job or an image of the file is called here."""
        return f"{self.prefix}-{name}"


@dataclass(frozen=True, slots=True)
class RepositoryDefinitions:
    """What a file defines, by the names that hold here. `lines` are those of the jobs, from 1.

    `written` are its plain values as they stand there, from which it can be checked again.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, Value] = field(default_factory=dict)


class WrongFile(Exception):
    """The file cannot be used: every mistake (up to `SHOWN`) in the order of its lines."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(dict.fromkeys(sorted(mistakes)))[:SHOWN]
        super().__init__("\n".join(map(str, self.mistakes)))


Taken = Callable[[str, str], str | None]
"""Given a section and a name that would hold here: why that is not free; None where it is."""


def definitions_of(content: bytes, owner: Owner, config: Config, taken: Taken) -> RepositoryDefinitions:
    """What the file says; `WrongFile`. Takes up to seconds, so call it in a thread."""
    if len(content) > LIMIT:
        raise WrongFile([Mistake(TextPosition(), "", f"the file is larger than {LIMIT // 1024} KiB")])
    _check_brackets(content)
    document = read(content)
    if document.mistakes:
        raise WrongFile(document.mistakes)
    written = {} if document.data is None else document.data
    if not isinstance(written, dict):
        raise WrongFile([Mistake(TextPosition(), "", "expected keys: images: and jobs:")])
    return _checked(document, written, owner, config, taken)


def _check_brackets(content: bytes) -> None:
    """Refuse at once what would take seconds to be found too deep: brackets that are opened, not closed."""
    depth = 0
    for found in _BRACKETS.finditer(content):
        depth = depth + 1 if found[0] in b"[{" else max(depth - 1, 0)
        if depth > _OPEN:
            before = content[: found.start()]
            place = TextPosition(before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
            raise WrongFile([Mistake(place, "", f"more than {_OPEN} brackets are open here")])


def narrowed(
    written: Mapping[str, Value], owner: Owner, config: Config, taken: Taken
) -> tuple[RepositoryDefinitions, list[str]]:
    """What of stored definitions holds today: without the jobs that do not fit any more, which it names."""
    left: dict[str, Any] = {section: dict(_section(written, section)) for section in _SECTIONS}
    gone: list[str] = []
    while left["jobs"]:
        try:
            return _checked(Document(data=left), left, owner, config, taken), gone
        except WrongFile as wrong:
            named = [each.keys[:2] for each in wrong.mistakes if len(each.keys) > 1]
        images = {name for section, name in named if section == "images"} & left["images"].keys()
        bad = {name for section, name in named if section == "jobs"} & left["jobs"].keys()
        bad |= {name for name, job in left["jobs"].items() if job.get("image") in images}
        if not bad and not images:  # it is nothing of one job that does not fit
            bad = set(left["jobs"])
        gone += sorted(bad)
        left["jobs"] = {name: job for name, job in left["jobs"].items() if name not in bad}
        left["images"] = {name: image for name, image in left["images"].items() if name not in images}
    return RepositoryDefinitions(), gone


def _checked(
    document: Document, written: Mapping[str, Value], owner: Owner, config: Config, taken: Taken
) -> RepositoryDefinitions:
    """The definitions as this server takes them."""
    bounds = Bounds(owner.repository, owner.rules, config)
    if not check_bounds(document, written, bounds):
        raise WrongFile(document.mistakes)
    earlier = {each.keys for each in document.mistakes}
    here = _renamed(document, written, owner, config)
    for section in _SECTIONS:
        for name in _section(written, section):
            why = taken(section, owner.named(name))
            if why is not None:
                document.wrong((section, name), why, key=True)
    made = checked(here, config.environ, beside=config.jobs)
    found = [_as_written(document, mistake, owner) for mistake in here.mistakes]
    document.mistakes += [each for each in found if each.keys not in earlier or not each.keys]
    if made is None or document.mistakes:
        raise WrongFile(document.mistakes)
    jobs = {name: made.jobs[owner.named(name)] for name in _section(written, "jobs")}
    images = {name: made.images[owner.named(name)] for name in _section(written, "images")}
    check_parsed(document, written, bounds, jobs, images)
    if document.mistakes:
        raise WrongFile(document.mistakes)
    return RepositoryDefinitions(
        jobs={owner.named(name): job for name, job in jobs.items()},
        images={owner.named(name): image for name, image in images.items()},
        lines={owner.named(name): document.place(("jobs", name), key=True).line for name in jobs},
        written=written,
    )


def _renamed(document: Document, written: Mapping[str, Value], owner: Owner, config: Config) -> Document:
    """The file's definitions as a part of the server's file, by the names that they have there."""
    own = _section(written, "images")
    images = {owner.named(name): _built(image, owner) for name, image in own.items()}
    jobs: dict[str, Value] = {}
    for name, job in _section(written, "jobs").items():
        jobs[owner.named(name)] = _governed(job, own, owner, config) if isinstance(job, dict) else job
    defaults = _section(config.written, "defaults")
    data: dict[str, Value] = {
        **config.written,
        "images": {**_section(config.written, "images"), **images},
        "jobs": jobs,
        "defaults": {key: value for key, value in defaults.items() if key not in OWN},
    }
    here = Document(data=data)
    for places, there in ((document.keys, here.keys), (document.values, here.values)):
        there |= {_path(path, owner): place for path, place in places.items()}
    return here


def _governed(
    job: Mapping[str, Value], images: Mapping[str, Value], owner: Owner, config: Config
) -> dict[str, Value]:
    """A job with what it cannot say itself: it is its repository's, and acts as whom the server says."""
    made: dict[str, Value] = {**job, "repositories": [owner.repository]}
    image = job.get("image")
    if isinstance(image, str) and image in images:
        made["image"] = owner.named(image)
    if config.engine.kind == "kubernetes":
        made["service_account"] = owner.rules.service_account or ""
    return made


def _built(image: Value, owner: Owner) -> Value:
    """An image of the file with the repository that it is built from, which need not be said."""
    build = image.get("build") if isinstance(image, dict) else None
    if not isinstance(image, dict) or not isinstance(build, dict):
        return image
    return {**image, "build": {**build, "repository": owner.repository}}


def _path(path: Path, owner: Owner) -> Path:
    """A path of the file as it is with the names that hold here."""
    if len(path) < 2 or path[0] not in _SECTIONS:
        return path
    return (path[0], owner.named(str(path[1])), *path[2:])


def _as_written(document: Document, mistake: Mistake, owner: Owner) -> Mistake:
    """A mistake as it is told of the file; what is none of its own says nothing of the server's values."""
    keys, start = mistake.keys, f"{owner.prefix}-"
    mine = len(keys) > 1 and keys[0] in _SECTIONS and str(keys[1]).startswith(start)
    if not mine:
        return Mistake(TextPosition(), "", f"{path_text(keys[:1])} of the server's file does not allow it")
    path = (keys[0], str(keys[1]).removeprefix(start), *keys[2:])
    place = mistake.place if mistake.place != TextPosition() else document.place(path)
    return Mistake(place, path_text(path), mistake.what, path)


def _section(data: Mapping[str, Value], key: str) -> Mapping[str, Value]:
    value = data.get(key)
    return value if isinstance(value, dict) else {}
