"""What the engine is asked for and how its answers are read; pure.

https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from executor.reports import files
from executor.spec import UNTRUSTED_TMP, RunSpec
from executor.supervisor.setup import SHELL, prefaced

INSTALLATION, KEY, TIMEOUT, GRACE, CHILDREN, MEMORY, MASKED, LOG = (
    f"errand.{name}"
    for name in ("installation", "key", "timeout", "grace", "signal_children", "memory", "masked", "log")
)
"""Labels: whose container it is, which run's, and what a bot has to know of it after a restart."""

RESERVED = ","
"""Separates the parts of a mount, so no path of a file may hold it."""
REPORT = "/run/errand"
"""Where a job finds the files of its report."""
NO_FILE = f"{REPORT}/{files.OUTPUTS}/."
"""What is there only where the first of them is a directory."""
_NOWHERE = "/dev/null"
PIDS = 4096
"""Processes and threads that a job may have at once: enough for a parallel build, too few to hurt others."""

_TMP, _TMPFS = "/tmp", "rw,nosuid,nodev,mode=1777"  # noqa: S108  # in the container
_PODMAN_S = ("/run", "/var/tmp")  # noqa: S108
"""What Podman adds by itself to a root that is read-only, each as large as half of the machine's memory."""

_RLIMITS = 1 << 20
"""What engines ask for by themselves; where this process may have less they would fail to start anything."""
_RLIMIT = 16384

SH = "sh"
_SHELLS = frozenset({SH, "bash", "dash", "ash", "zsh", "ksh"})
_TOGETHER = 'exec "$@" 2>&1'
"""Engines read a job's two outputs from two pipes, and lose the order in which they were written."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)")
_NEVER = "0001-01-01"


@dataclass(frozen=True, slots=True)
class Container:
    """What `inspect` says of one. `labels` and `env` are as they were at its creation."""

    id: str
    status: str
    pid: int
    exit_code: int
    oom_killed: bool
    error: str
    started_at: float | None
    finished_at: float | None
    log_path: str
    labels: Mapping[str, str]
    env: Mapping[str, str]

    @property
    def secrets(self) -> list[bytes]:
        """The values that no log shows, as they were when it was created."""
        masked = json.loads(self.labels.get(MASKED) or "[]")
        return [self.env[name].encode("utf-8", "surrogateescape") for name in masked if name in self.env]

    @property
    def is_new(self) -> bool:
        """Whether it never ran."""
        return self.status in ("created", "configured", "initialized")

    @property
    def has_ended(self) -> bool:
        """Whether its first process is over."""
        return self.status in ("exited", "stopped", "dead", "removing")


@dataclass(frozen=True, slots=True)
class ContainerExtras:
    """What a container is given besides its specification.

    `files` names the file on this machine for each path in the container, `report` the directory of those
    that the job writes of itself (None: the engine is elsewhere, and has none), `driver` who keeps its log,
    `network` the one that it is in (None: rootless engines give each container a network of its own),
    `rlimits` the most (open files, processes) that this process may have, `live` the environment of the
    workload that it shares, `masked` the names in the whole environment whose values no log shows, and
    `shell` the program in the image that is to put both outputs into one pipe; None if there is none.
    """

    installation: str
    driver: str
    network: str | None
    rlimits: tuple[int, int]
    files: Mapping[str, Path]
    live: Mapping[str, str]
    masked: Sequence[str]
    shell: str | None
    report: Path | None = None


def installation(directory: Path) -> str:
    """Name the installation that keeps its things in `directory`."""
    return hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:12]


def name(installation: str, key: str) -> str:
    """Name the container of the run `key`."""
    return f"errand-{installation}-{key}"


def body(spec: RunSpec, extras: ContainerExtras) -> dict[str, Any]:
    """Give the request that creates the container of a run."""
    labels = {
        INSTALLATION: extras.installation,
        KEY: spec.key,
        TIMEOUT: repr(spec.timeout),
        GRACE: repr(spec.grace),
        CHILDREN: "1" if spec.signal_children else "0",
        MEMORY: str(spec.memory or 0),
        MASKED: json.dumps(list(extras.masked)),
        LOG: extras.driver,  # what `inspect` says of it is the name that Docker has for it
    }
    program, *words = _command(spec, extras.shell)
    env = {**extras.live, **spec.env, **_reporting(extras)}
    request: dict[str, Any] = {
        "Image": spec.image,
        "Entrypoint": [program],  # instead of the image's own: a command runs as it is
        "Cmd": words,
        "Env": [f"{name}={value}" for name, value in env.items()],
        "Labels": labels,
        "AttachStdin": False,
        "OpenStdin": False,
        "Tty": False,
        "HostConfig": _host(spec, extras),
    }
    if spec.workdir:
        request["WorkingDir"] = "/" + spec.workdir.strip("/")
    return request


def _reporting(extras: ContainerExtras) -> dict[str, str]:
    """Give the variables by which the job finds its files; without any, what it says goes nowhere."""
    if extras.report is None:
        return dict.fromkeys(files.variables(""), _NOWHERE)
    return files.variables(REPORT)


def shell(spec: RunSpec) -> str | None:
    """Name the shell that a run cannot do without; None for one that may be of an image without any."""
    if spec.setup:
        return SHELL[0]
    return spec.command[0] if spec.command[0].rpartition("/")[2] in _SHELLS else None


def _command(spec: RunSpec, shell: str | None) -> list[str]:
    words = [*SHELL, spec.setup, *prefaced(spec.command)] if spec.setup else list(prefaced(spec.command))
    return [shell, "-c", _TOGETHER, shell, *words] if shell else words


def _host(spec: RunSpec, extras: ContainerExtras) -> dict[str, Any]:
    host: dict[str, Any] = {
        "Init": True,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": PIDS,
        "ReadonlyRootfs": spec.read_only,
        "RestartPolicy": {"Name": "no"},
        "LogConfig": {"Type": extras.driver, "Config": {}},
        "Mounts": [
            {"Type": "bind", "Source": str(source), "Target": target, "ReadOnly": True}
            for target, source in extras.files.items()
        ]
        # Each by itself: in a directory the job might put what is no file.
        + [
            {"Type": "bind", "Source": str(extras.report / name), "Target": f"{REPORT}/{name}"}
            for name in files.NAMES
            if extras.report is not None
        ],
    }
    if extras.network:  # by its name, so that no configuration of the engine makes it the host's network
        host["NetworkMode"] = extras.network
    if spec.read_only:
        host["Tmpfs"] = {_TMP: _TMPFS}
    if spec.untrusted:
        host["Tmpfs"] = dict.fromkeys((_TMP, *_PODMAN_S), f"{_TMPFS},size={UNTRUSTED_TMP}")
    if spec.memory:
        host |= {"Memory": spec.memory, "MemorySwap": spec.memory}  # the same: no swap besides
    if spec.cpu:
        host["NanoCpus"] = round(spec.cpu * 1e9)
    if limits := ulimits(extras.rlimits):
        host["Ulimits"] = limits
    return host


def ulimits(rlimits: tuple[int, int]) -> list[dict[str, Any]]:
    """Give the rlimits to ask for where this process may have fewer (open files, processes) than is usual."""
    return [
        {"Name": name, "Soft": min(most, _RLIMIT), "Hard": min(most, _RLIMIT)}
        for name, most in zip(("nofile", "nproc"), rlimits, strict=True)
        if 0 <= most < _RLIMITS  # below 0: no limit
    ]


def check(spec: RunSpec) -> None:
    """Raise ValueError for what no process can have."""
    if not spec.command:
        raise ValueError("The command is empty.")
    for name in spec.env:
        if not name or "=" in name:
            raise ValueError(f"Not a name for the environment: {name[:100]!r}.")
    words = (*spec.command, *spec.env, *spec.env.values(), spec.setup or "", spec.workdir or "")
    if any("\0" in word for word in words):
        raise ValueError("A NUL byte in the command, its environment or its working directory.")


def read(answer: Mapping[str, Any]) -> Container:
    """Read what `inspect` answers."""
    state, config = answer["State"], answer["Config"]
    return Container(
        id=answer["Id"],
        status=str(state.get("Status", "")).lower(),
        pid=int(state.get("Pid") or 0),
        exit_code=int(state.get("ExitCode") or 0),
        oom_killed=bool(state.get("OOMKilled")),
        error=str(state.get("Error") or ""),
        started_at=moment(state.get("StartedAt")),
        finished_at=moment(state.get("FinishedAt")),
        log_path=str(answer.get("LogPath") or ""),
        labels=config.get("Labels") or {},
        env=dict(item.partition("=")[::2] for item in config.get("Env") or ()),
    )


def moment(text: str | None) -> float | None:
    """Give the seconds since the epoch of a time with nanoseconds; None for what has not been."""
    found = _TIME.fullmatch(text or "")
    if found is None or found[0].startswith(_NEVER):
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    return datetime.fromisoformat(found[1] + zone).timestamp() + float(found[2] or 0)
