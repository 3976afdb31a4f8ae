"""From the file to a `Config`: read, replace references, merge defaults, check, cross-check."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from pydantic import ValidationError

from bot.catalog.catalog import Job
from bot.catalog.conditions import SecretReference
from bot.catalog.images import is_repository
from bot.config.abilities import check_abilities
from bot.config.chain_checks import check_chains
from bot.config.config import Config, missing_secret, missing_variable
from bot.config.crosschecks import cross_check
from bot.config.document import SIZE_LIMIT, Document, Path, Value, read
from bot.config.envfile import EnvFile, beside
from bot.config.findings import Invalid, findings_of, unreadable
from bot.config.interpolation import expand, pieces_of
from bot.config.mistakes import note
from bot.config.pods import check_pods
from bot.config.repository_checks import check_repositories
from bot.config.sizing import check_allowance, check_sizes, sized
from bot.config.who_checks import check_who

_LITERAL = frozenset({"command", "setup", "files", "description", "pattern"})
"""Keys within jobs, defaults and images whose text is taken as it is: a shell's `$` is the shell's."""

_MERGED = ("env", "parameters", "notify")
"""Keys of a job that a default completes name by name; of all others the job's own value wins."""


_NOT_REPLACED = {
    "parameters": "${…} is not replaced in parameters, which are stored; use env for it",
    "arguments": "${…} is not replaced in arguments, which stay in the image; use secrets for it",
}


@dataclass(frozen=True)
class Source:
    """The file at `path` as it stands, and the environment with the `.env` beside it."""

    path: FilePath
    document: Document
    environ: Mapping[str, str]
    env_file: EnvFile

    def is_wrong(self) -> bool:
        """Whether mistakes are known of either file by now."""
        return bool(self.document.mistakes or self.env_file.mistakes)

    def refused(self) -> Invalid:
        """What is told of them: each mistake in its line."""
        return Invalid([*self.env_file.mistakes, *findings_of(self.path, self.document.mistakes)])


def source(path: FilePath, environ: Mapping[str, str]) -> Source:
    """What an `app.yaml` is made of; `Invalid` where it cannot be read. Blocking."""
    document, env_file = read_file(path), beside(path)
    return Source(path, document, env_file.under(environ), env_file)


def load(path: FilePath, environ: Mapping[str, str]) -> Config:
    """The configuration in the file at `path`; `Invalid` with every mistake, one line each."""
    return checked_source(source(path, environ))


def checked_source(read: Source) -> Config:
    """The configuration; `Invalid` with every mistake, one line each."""
    config = None
    if not read.document.mistakes:
        config = checked(read.document, read.environ)
    if config is None or read.is_wrong():
        raise read.refused()
    config._file = read.path.name
    return config


def read_file(path: FilePath) -> Document:
    """What stands in the file at `path`; `Invalid` where it cannot be read."""
    try:
        with path.open("rb") as file:
            return read(file.read(SIZE_LIMIT + 1))
    except OSError as error:
        raise unreadable(path, error) from None


def checked(
    document: Document, environ: Mapping[str, str], beside: Mapping[str, Job] | None = None
) -> Config | None:
    """The checked configuration; None where `document` now holds mistakes.

    `beside` are jobs of elsewhere, which those here may name.
    """
    written = document.data if document.data is not None else {}
    if not isinstance(written, dict):
        document.wrong((), "expected keys such as url: and jobs:")
        return None
    data = _replaced(document, written, (), environ)
    assert isinstance(data, dict)  # noqa: S101 - a mapping stays one
    defaults = data.pop("defaults", None)
    _check_defaults(document, defaults)
    _name_definitions(document, data, defaults if isinstance(defaults, dict) else {})
    _default_repositories(data)
    config = None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        note(document, error)
    cross_check(document, data)
    check_who(document, data)
    check_abilities(document, data)
    check_sizes(document, data)
    check_pods(document, data)
    check_repositories(document, data)
    if config is None:
        return None
    check_allowance(document, config.jobs, config.sizes)
    check_chains(document, config.jobs, config.images, beside or {})
    _check_secrets(document, config, environ)
    if document.mistakes:
        return None
    jobs = {name: sized(job, config.sizes, config.engine.kind) for name, job in config.jobs.items()}
    config = config.model_copy(update={"jobs": jobs})
    config._environ = dict(environ)
    config._written = written
    config._lines = {name: document.place(("jobs", name), key=True).line for name in jobs}
    return config


def _check_secrets(document: Document, config: Config, environ: Mapping[str, str]) -> None:
    """Tell every secret of a job or of a build that the environment does not have."""
    for image in config.images.values():
        for index, name in enumerate(image.build.secrets if image.build else ()):
            if name not in environ:
                place = ("images", image.name, "build", "secrets", index)
                document.wrong(place, missing_variable(name))
    for job in config.jobs.values():
        for variable, value in job.env.items() if config.engine.kind != "kubernetes" else ():
            if isinstance(value, SecretReference) and value.variable not in environ:
                path = document.written(("jobs", job.name, "env", variable))
                document.wrong(path, missing_secret(value))


def _replaced(document: Document, value: Value, path: Path, environ: Mapping[str, str]) -> Value:
    """`value` with `${NAME}` replaced wherever that is done at start."""
    if isinstance(value, dict):
        return {key: _replaced(document, item, (*path, key), environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(document, item, (*path, index), environ) for index, item in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    try:
        kind = treatment(path)
        if kind == "literal":
            return value
        if kind == "refused" and any(not isinstance(piece, str) for piece in pieces_of(value)):
            document.wrong(path, _NOT_REPLACED["arguments" if path[0] == "images" else "parameters"])
            return value
        expanded = expand(value, environ)
        if expanded.taken:
            document.taken[path] = expanded.taken
        return value if kind == "late" else expanded.text
    except ValueError as error:
        document.wrong(path, str(error))
        document.unusable.add(path)
        return "" if treatment(path) == "now" else value


def treatment(path: Path) -> str:
    """How `${NAME}` at `path` is treated: `now`, `late` (when a run starts), `literal` or `refused`."""
    inside = path[1:] if path[0] == "defaults" else path[2:] if path[0] in ("jobs", "images") else ()
    if not inside:
        return "now"
    if inside[0] == "env":
        return "late"
    if inside[:2] == ("build", "arguments"):
        return "refused"
    if any(part in _LITERAL for part in (inside[0], inside[-1])) or inside[:2] == ("build", "setup"):
        return "literal"
    of_schedule = inside[0] == "schedule" and "parameters" in inside
    return "refused" if inside[0] == "parameters" or of_schedule else "now"


def _check_defaults(document: Document, defaults: Value) -> None:
    """Check `defaults` as a job of its own, so that what is wrong there is told once and in its place."""
    if defaults is None:
        return
    if not isinstance(defaults, dict):
        document.wrong(("defaults",), "expected keys of a job")
        return
    if "name" in defaults:
        document.wrong(("defaults", "name"), "unknown key", key=True)
    try:
        Job.model_validate({"command": "true"} | defaults | {"name": "defaults"})
    except ValidationError as error:
        note(document, error, ("defaults",))


def _name_definitions(document: Document, data: dict[str, Value], defaults: dict[str, Value]) -> None:
    """Give each job and image its name, and each job the defaults that it does not set itself."""
    for section in ("images", "jobs"):
        definitions = data.get(section)
        if definitions is None and section in data:
            data[section] = {}  # a section whose lines are all commented out
        if not isinstance(definitions, dict):
            continue
        for name, definition in definitions.items():
            if not isinstance(definition, dict):
                continue
            if "name" in definition:
                document.wrong((section, name, "name"), "unknown key: the name stands above", key=True)
            merged = _merged(defaults, definition) if section == "jobs" else definition
            definitions[name] = {**merged, "name": name}


def _merged(defaults: dict[str, Value], own: dict[str, Value]) -> dict[str, Value]:
    merged = {**defaults, **own}
    for key in _MERGED:
        ours, theirs = own.get(key), defaults.get(key)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            merged[key] = {**theirs, **ours}
    for key, other in (("size", "resources"), ("resources", "size")):
        if key in own and other not in own:
            merged.pop(other, None)  # one replaces the other
    return merged


def _default_repositories(data: dict[str, Value]) -> None:
    """Those that an image names may talk to this installation, unless the file says which may."""
    github, images = data.get("github"), data.get("images")
    if not isinstance(github, dict) or "repositories" in github or not isinstance(images, dict):
        return
    builds = [image.get("build") for image in images.values() if isinstance(image, dict)]
    names = [build.get("repository") for build in builds if isinstance(build, dict)]
    texts = [name for name in names if isinstance(name, str)]
    github["repositories"] = [*dict.fromkeys(text for text in texts if is_repository(text))]
