"""The words of this room: what to do (`BuildSpec`, `RunSpec`) and what came of it (`Progress`).

All times are seconds since the Unix epoch, all durations seconds, all values immutable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Result(StrEnum):
    """How a run or a build ended. `ERROR` is the platform's fault or Errand's, never the job's."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    ERROR = "error"


BAD = (Result.FAILED, Result.TIMED_OUT, Result.ERROR)
"""The results of what neither succeeded nor was cancelled."""


class Secret:
    """A value that no `repr`, log line or traceback shows; `reveal()` gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for whoever has to send it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True)
class Source:
    """One commit of a git repository: `url` to fetch it from, full `commit` SHA, token if private."""

    repository: str
    url: str
    commit: str
    token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a container image is made of a checkout; paths are relative to it.

    `arguments` are seen by who has the image, `secrets` only by the steps that mount them. `push` is the
    repository in a registry that the image goes to, None keeps it on this machine.
    """

    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str | None = None
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    push: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What people see of a run or a build where the engine lists it: names and values of their own.

    `labels` are short and can be searched for (job, run, cause), `annotations` are any text (actor, commit,
    address). Both mean nothing to the engine, and engines that list nothing leave them out.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that only the engine has: `key` of the Secret or ConfigMap `name`."""

    kind: Literal["secret", "configmap"]
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Make `source` runnable. `key` names all that is created; the same key never builds twice.

    `setup` is for the process engine, `recipe` for the engines with containers. What is `untrusted` shares no
    cache with anything else; the process engine takes none of it.
    """

    key: str
    image: str
    source: Source
    setup: str | None = None
    recipe: Recipe | None = None
    timeout: float = 1800.0
    about: About = field(default_factory=About)
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """What a workload runs now: `kind/name`, such as `container/web` or `deployment/shop`.

    `namespace` and `container` are for Kubernetes; None: the engine's own namespace, the container that the
    pod's annotation makes the default one or else its first.
    """

    workload: str
    namespace: str | None = None
    container: str | None = None


UNTRUSTED_TMP = 1 << 30
"""Bytes that temporary files of untrusted code may have."""


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Run `command` once. `key` names all that is created; the same key never runs twice.

    `image` is the `Outcome.image` of a build, or None for an empty directory (process engine only). `env` is
    the whole of what the job is given besides the engine's own few variables; every value in `secrets` is
    masked in the log, raw and in base64. `setup` is run by bash in the same shell before the command.
    `workdir` is relative to the image's root on the process engine, and so are the paths of `files`, whose
    texts are there before the command starts, with mode 0444; so is `payload`, in the file that the variable
    `ERRAND_PAYLOAD` names. `memory` is the most bytes that the job (on the process engine: each of its
    processes) may have, `cpu` the most cores, `gpu` whole devices.

    `service_account` is whom it acts as in a cluster: None whom the engine says, empty nobody at all.

    With `live` the job also gets the environment of that workload, `env` and `references` going before it.
    `references` are variables whose values only the engine knows; what Secrets say is masked like `secrets`.
    What is `untrusted` gets no account and of the cluster's configured `pod` only where and how it runs, its
    temporary files have an end (`UNTRUSTED_TMP`), and the process engine takes none of it.
    """

    key: str
    command: tuple[str, ...]
    image: str | None = None
    setup: str | None = None
    workdir: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    payload: str | None = None
    memory: int | None = None
    cpu: float | None = None
    gpu: int = 0
    read_only: bool = False
    service_account: str | None = None
    live: Live | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    about: About = field(default_factory=About)
    timeout: float = 900.0
    grace: float = 30.0
    signal_children: bool = True
    untrusted: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """Not started yet, and why: a sentence for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class Started:
    """The job's first process exists since `at`; said again where what a stop waited for is over."""

    at: float


@dataclass(frozen=True, slots=True)
class Headway:
    """How far a job says that it is: `done` of `total`, which is at least 1."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a job reported besides its exit code, bounded and without secrets or control characters.

    `summary` is Markdown as the job wrote it, which may be hostile. `remarks` are sentences about what of it
    does not count.
    """

    outputs: Mapping[str, str] = field(default_factory=dict, hash=False)
    summary: str | None = None
    headway: Headway | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end. `exit_code` is the job's own (128 + N where signal N ended it), None where it had none.

    `reason` is one CamelCase word where `result` alone does not say it (`SetupFailed`,
    `DeadlineExceeded`, `SupervisorLost`), `message` a sentence for people. A successful build
    gives the `image` to run; it is the pinned form (digest, commit), never a moving tag.
    """

    result: Result
    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    image: str | None = None
    report: Report = field(default_factory=Report)


Progress = Pending | Started | Headway | Outcome
