"""What the engine asks a supervisor for: specifications become the fields of a request."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from executor import checkout, payloads
from executor.checkout.git import ENVIRONMENT, split_url
from executor.process import trees
from executor.reports import files
from executor.spec import BuildSpec, RunSpec, Secret
from executor.supervisor import record, request
from executor.supervisor.boot import boot
from executor.supervisor.setup import prefaced

_BUILDER = [sys.executable, "-I", "-S", str(Path(checkout.__file__).with_name("builder.py"))]
_BUILD_GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL for a build."""

_Fields = Iterator[tuple[str, str | bytes]]


@dataclass(frozen=True, slots=True)
class RunPaths:
    """Where things of one run go: the engine's directory, the run's own, and its log's."""

    directory: Path
    run: Path
    log: str
    log_size: int


@dataclass(frozen=True, slots=True)
class Making:
    """The job of a build: the command line that it begins with, and what more than a checkout it needs.

    `words` are arguments, `env` goes before the few variables that every builder has.
    """

    script: Sequence[str]
    tree: trees.Tree
    words: Mapping[str, str]
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    signal_children: bool = True


def of_run(spec: RunSpec, place: RunPaths) -> bytes:
    """Give the request for a run; what is wrong with the specification becomes a refusal in it."""
    try:
        return request.encode([*_common(place), *_run(spec, place)])
    except _Refusal as refusal:
        return refused(place, "ImageMissing", str(refusal))
    except ValueError as problem:
        return refused(place, "SpecInvalid", str(problem))


def of_build(spec: BuildSpec, place: RunPaths, making: Callable[[BuildSpec], Making] | None = None) -> bytes:
    """Give the request for a build, by `executor.checkout.builder` unless told; or a refusal."""
    try:
        return request.encode([*_common(place), *_build(spec, place, (making or _with_setup)(spec))])
    except ValueError as problem:
        return refused(place, "SpecInvalid", str(problem))


def refused(place: RunPaths, reason: str, message: str) -> bytes:
    """Give the request that only records an error."""
    return request.encode(
        [*_common(place), ("refused", f"{reason}: {message}".replace("\0", "")), *_limits(0.0, 0.0, True)]
    )


class _Refusal(Exception):
    """The image is none of this engine's."""


def _common(place: RunPaths) -> _Fields:
    yield "run", str(place.run)
    yield "log", place.log
    yield "log_size", str(place.log_size)
    yield "boot", boot()


def _limits(timeout: float, grace: float, signal_children: bool) -> _Fields:
    yield "timeout", repr(timeout)
    yield "grace", repr(grace)
    yield "signal_children", "1" if signal_children else "0"


def _run(spec: RunSpec, place: RunPaths) -> _Fields:
    if not spec.command:
        raise ValueError("The command is empty.")
    root = home = place.run / "work"
    if spec.image is not None:
        tree = trees.of_reference(spec.image)
        if tree is None:
            raise _Refusal(f"{spec.image[:200]} is no image of the process engine.")
        path = tree.path(place.directory)
        root, home = path / "work", path / "home"
        yield "tree", str(trees.lock_path(path))
        yield "root", str(root)
    yield "workdir", _whole("workdir", spec.workdir or "")
    yield "setup", _whole("setup", spec.setup or "")
    for word in prefaced(spec.command):
        yield "argument", _whole("command", word)
    report = str(place.run / record.REPORT)
    yield "report", report
    ours = files.variables(report)
    if spec.payload is not None:
        yield "payload", _whole("the payload", spec.payload)
        ours[payloads.VARIABLE] = f"{report}/{files.PAYLOAD}"
    for name, value in (environment(home, dict(spec.env)) | ours).items():
        if not name or "=" in name:
            raise ValueError(f"Not a name for the environment: {name[:100]!r}.")
        yield "env", f"{_whole('env', name)}={_whole(name, value)}"
    for secret in spec.secrets:
        yield "secret", _whole("a secret", secret.reveal())
    for name, text in spec.files.items():
        yield "file_path", _whole("a file's path", name)
        yield "file_text", _whole(name, text)
    yield "memory", str(spec.memory or 0)
    yield from _limits(spec.timeout, spec.grace, spec.signal_children)


def _build(spec: BuildSpec, place: RunPaths, making: Making) -> _Fields:
    url, token = split_url(spec.source.url, spec.source.token.reveal() if spec.source.token else "")
    words = {
        "repository": making.tree.repository,
        "commit": making.tree.commit,
        "url": url,
        "mirror": str(trees.mirror_path(place.directory, making.tree)),
        "tree": str(making.tree.path(place.directory)),
        "result": str(place.run / record.RESULT),
        **making.words,
    }
    for word in (*making.script, *(f"{name}={_whole(name, words[name])}" for name in words)):
        yield "argument", word
    env = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    for name, value in (env | environment(place.run, dict(making.env))).items():
        yield "env", f"{name}={_whole(name, value)}"
    for secret in making.secrets:
        yield "secret", _whole("a secret", secret.reveal())
    if token:
        yield "secret", _whole("the token", token)
        yield "input", token
    yield from _limits(spec.timeout, _BUILD_GRACE, making.signal_children)


def _with_setup(spec: BuildSpec) -> Making:
    return Making(_BUILDER, trees.of_build(spec), {"setup": spec.setup or ""})


def environment(home: Path, declared: dict[str, str]) -> dict[str, str]:
    """Give the whole environment of a job."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8", **declared}


def _whole(what: str, value: str) -> str:
    if "\0" in value:
        raise ValueError(f"A NUL byte in {what}.")
    return value
