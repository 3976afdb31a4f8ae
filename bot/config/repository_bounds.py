"""What the file of a repository may not say, whatever else is right about it.

Works on plain data, so that it can tell all of its mistakes at once.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from pydantic import ValidationError

from bot.catalog.catalog import Job
from bot.catalog.conditions import ConfigMapReference, SecretReference
from bot.catalog.images import Image
from bot.config.config import Config
from bot.config.definitions import own_names
from bot.config.document import Document, Path, Value
from bot.config.interpolation import Reference, pieces_of
from bot.config.loading import treatment
from bot.config.repository_rules import OWN, Override, RepositoryRules
from bot.text.units import duration_text
from bot.text.wording import nearest

_OVERRIDES = frozenset(get_args(Override))
_SECTIONS = ("images", "jobs")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What `repository` may say by `rules`, on an installation with this configuration."""

    repository: str
    rules: RepositoryRules
    config: Config

    def gives(self, name: str) -> bool:
        """Whether a variable of Errand's own environment is for this repository."""
        return name in self.rules.secrets and name not in self._own

    def gives_secret(self, kept: SecretReference | ConfigMapReference) -> bool:
        """Whether a value that is kept elsewhere is; never what the installation itself is opened with."""
        if isinstance(kept, ConfigMapReference):
            return kept.configmap in self.rules.secrets
        engine = self.config.engine
        if engine.kind == "kubernetes":
            is_own = kept.secret == engine.kubernetes.builder.registry_secret
        else:
            is_own = kept.variable in self._own
        return kept.secret in self.rules.secrets and not is_own

    @property
    def _own(self) -> frozenset[str]:
        return own_names(self.config.written) | own_names(self.config.newest)


def check_bounds(document: Document, written: Mapping[str, Value], bounds: Bounds) -> bool:
    """Add to the mistakes of `document` what this repository may not say.

    False where nothing more may be asked of it: what is replaced from the environment would be.
    """
    for key in written:
        if key not in _SECTIONS:
            what = "the file of a repository has images: and jobs:; everything else is the server's to say"
            document.wrong((key,), what, key=True)
    for section in _SECTIONS:
        _check_section(document, written, section, bounds.rules)
    if bounds.config.engine.kind == "process" and not bounds.rules.unconfined:
        what = "the process engine confines nothing, and the server's file does not say unconfined: true"
        for section in _SECTIONS:
            if written.get(section):
                document.wrong((section,), what, key=True)
    if document.mistakes:
        return False
    quiet = True
    for name, image in _definitions(written, "images"):
        _check_image(document, ("images", name), image, bounds)
        quiet &= _check_texts(document, image, ("images", name), bounds)
    for name, job in _definitions(written, "jobs"):
        _check_keys(document, ("jobs", name), job, bounds)
        _check_job_image(document, ("jobs", name, "image"), job, written, bounds)
        _check_env(document, ("jobs", name, "env"), job.get("env"), bounds)
        quiet &= _check_texts(document, job, ("jobs", name), bounds)
    return quiet


def check_parsed(
    document: Document,
    written: Mapping[str, Value],
    bounds: Bounds,
    jobs: Mapping[str, Job],
    images: Mapping[str, Image],
) -> None:
    """The same for what only the values say, by the names in the file."""
    most = bounds.rules.timeout
    for name, image in _definitions(written, "images"):
        keys, build = image.get("build"), images[name].build
        if isinstance(keys, dict) and "timeout" in keys and build is not None and build.timeout > most:
            path: Path = ("images", name, "build", "timeout")
            document.wrong(path, f"expected at most {duration_text(most)} by the server's file")
    for name, keys in _definitions(written, "jobs"):
        if "timeout" in keys and jobs[name].timeout > most:
            document.wrong(
                ("jobs", name, "timeout"), f"expected at most {duration_text(most)} by the server's file"
            )


def _check_section(
    document: Document, written: Mapping[str, Value], section: str, rules: RepositoryRules
) -> None:
    definitions = written.get(section)
    if definitions is None:
        return
    if not isinstance(definitions, dict):
        document.wrong((section,), "expected names and definitions")
        return
    if len(definitions) > rules.jobs:
        what = f"{len(definitions)} of them: the server's file allows {rules.jobs}"
        document.wrong((section,), what, key=True)
        return
    for name, definition in definitions.items():
        if not isinstance(definition, dict):
            document.wrong((section, name), "expected keys and values")


def _check_keys(document: Document, path: Path, job: Mapping[str, Value], bounds: Bounds) -> None:
    """Only what this repository may set; what is no key at all is told by the other checks."""
    for key in job:
        if key in OWN or key in bounds.rules.overrides:
            continue
        if key in _OVERRIDES:
            what = f"{key} is the server's to say: it is not in the overrides of {bounds.repository} there"
            document.wrong((*path, key), what, key=True)
        elif key in Job.model_fields and key != "name":
            document.wrong((*path, key), f"{key} is the server's to say, whoever asks", key=True)
    size = job.get("size")
    if isinstance(size, str) and "size" in bounds.rules.overrides and size not in bounds.rules.sizes:
        document.wrong(
            (*path, "size"), f"expected one of {', '.join(bounds.rules.sizes)} by the server's file"
        )


def _check_job_image(
    document: Document, path: Path, job: Mapping[str, Value], written: Mapping[str, Value], bounds: Bounds
) -> None:
    """One of the file, or of the server's one that is built from this repository or of its registries."""
    name = job.get("image")
    own = written.get("images")
    own = own if isinstance(own, dict) else {}
    if not isinstance(name, str) or name in own:
        return
    of_server = [
        each.name
        for each in bounds.config.images.values()
        if _is_own(each.repository, bounds)
        or (each.reference and _is_below(each.registry, bounds.rules.registries))
    ]
    if name not in of_server:  # whether there is one of another repository, is nobody's business here
        near = nearest(name, [*own, *of_server])
        hint = f"; did you mean {near}?" if near else ""
        document.wrong(path, f"there is no image {name[:60]} for {bounds.repository}{hint}")


def _check_image(document: Document, path: Path, image: Mapping[str, Value], bounds: Bounds) -> None:
    build, rules = image.get("build"), bounds.rules
    if image.get("workload") is not None:
        what = "a workload's image comes with its environment, which a repository is not given"
        document.wrong((*path, "workload"), what, key=True)
    reference, push = image.get("reference"), image.get("push")
    if isinstance(reference, str) and not _is_below(reference.partition("@")[0], rules.registries):
        document.wrong((*path, "reference"), _not_listed("registries", rules.registries))
    if isinstance(push, str) and not _is_below(push, rules.push):
        document.wrong((*path, "push"), _not_listed("push", rules.push))
    if not isinstance(build, dict):
        return
    repository = build.get("repository")
    if isinstance(repository, str) and not _is_own(repository, bounds):
        what = f"the images of {bounds.repository} are built from it, and not from another repository"
        document.wrong((*path, "build", "repository"), what)
    secrets = build.get("secrets")
    for index, name in enumerate(secrets if isinstance(secrets, list) else ()):
        if not bounds.gives(str(name)):
            document.wrong((*path, "build", "secrets", index), _no_secret(str(name)))


def _check_env(document: Document, path: Path, env: Value, bounds: Bounds) -> None:
    """Secrets and ConfigMaps only where they are listed."""
    for name, value in env.items() if isinstance(env, dict) else ():
        found = _elsewhere(value) if isinstance(value, dict) else None
        if found is None:
            continue
        if not bounds.gives_secret(found):
            kept = found.secret if isinstance(found, SecretReference) else found.configmap
            document.wrong((*path, name), _no_secret(kept))


def _elsewhere(value: Mapping[str, Value]) -> SecretReference | ConfigMapReference | None:
    for kind in (SecretReference, ConfigMapReference):
        try:
            return kind.model_validate(dict(value))
        except ValidationError:
            continue
    return None  # told by the other checks


def _check_texts(document: Document, value: Value, path: Path, bounds: Bounds) -> bool:
    """Nothing is replaced but, in env, the variables that are listed; gives whether that is so."""
    if isinstance(value, dict):
        inside = [_check_texts(document, item, (*path, key), bounds) for key, item in value.items()]
        return all(inside)
    if isinstance(value, list):
        inside = [_check_texts(document, item, (*path, at), bounds) for at, item in enumerate(value)]
        return all(inside)
    kind = treatment(path)
    names = _names(value) if isinstance(value, str) and kind in ("now", "late") else frozenset()
    wrong = sorted(name for name in names if kind == "now" or not bounds.gives(name))
    for name in wrong:
        document.wrong(path, _no_secret(name) if kind == "late" else "${…} is replaced in env alone")
    return not wrong


def _names(text: str) -> frozenset[str]:
    try:
        return frozenset(piece.name for piece in pieces_of(text) if isinstance(piece, Reference))
    except ValueError:
        return frozenset()  # told by the other checks


def _is_own(repository: object, bounds: Bounds) -> bool:
    return isinstance(repository, str) and repository.casefold() == bounds.repository.casefold()


def _is_below(place: str | None, listed: Collection[str]) -> bool:
    """Whether a repository of a registry is one of those that are listed, or below one."""
    if place is None:
        return False
    name, colon, tag = place.rpartition(":")
    place = name if colon and "/" not in tag else place
    return any(place == each or place.startswith(f"{each}/") for each in listed)


def _not_listed(key: str, listed: Collection[str]) -> str:
    allowed = f"one of {', '.join(listed)}, or below" if listed else "nothing"
    return f"the server's file allows {allowed} ({key})"


def _no_secret(name: str) -> str:
    return f"{name[:60]} is not among the secrets that the server's file gives to this repository"


def _definitions(written: Mapping[str, Value], section: str) -> Iterator[tuple[str, dict[str, Value]]]:
    value = written.get(section)
    for name, definition in value.items() if isinstance(value, dict) else ():
        if isinstance(definition, dict):
            yield name, definition
