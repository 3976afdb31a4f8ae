"""What a container's process does between fork and exec: its file system, its user, its limits."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from tests.kubernetes import system

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DIRECTORIES = ("dev", "proc", "sys", "tmp", "etc", "root", "var/run", "usr", "bin", "home")
START_ERROR = 128
"""Exit code of a container whose program could not be started, as the kubelet gives it."""


@dataclass(frozen=True)
class Mount:
    """`source` of this machine seen at `target` in the container; both are files or both directories."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Program:
    """A container's process. `root` None: no file system of its own, for many cheap ones."""

    words: tuple[str, ...]
    env: dict[str, str]
    host_name: str
    directory: str = "/"
    root: str | None = None
    image: str | None = None
    mounts: tuple[Mount, ...] = ()
    user: int = 0
    group: int = 0
    groups: tuple[int, ...] = ()
    read_only: bool = False
    drops: bool = False
    gains: bool = True
    cgroups: tuple[str, ...] = field(default=())


def become(program: Program) -> None:
    """Set up everything and exec; raises OSError with the runtime's words where that cannot be."""
    for directory in program.cgroups:
        Path(directory, "cgroup.procs").write_text("0")
    if program.root is not None:
        _enter(program, program.root)
    if program.drops:
        system.drop_capabilities()
    _be_user(program)
    if not program.gains:
        system.gain_nothing()
    try:
        os.chdir(program.directory)
    except OSError as problem:
        raise OSError(
            f'chdir to cwd ("{program.directory}") set in config.json failed: {problem.strerror}'
        ) from None
    execute(program.words, program.env)


def execute(words: tuple[str, ...], env: dict[str, str]) -> None:
    """Find the program as a runtime does and start it; raises OSError with its words."""
    name = words[0]
    places = [name] if "/" in name else [f"{place}/{name}" for place in env.get("PATH", "").split(":")]
    refused = f'exec: "{name}": executable file not found in $PATH'
    if "/" in name:
        refused = f'exec: "{name}": stat {name}: no such file or directory'
    for place in places:
        if not os.path.exists(place):
            continue
        if os.path.isdir(place) or not os.access(place, os.X_OK):
            refused = f'exec: "{name}": permission denied'
            continue
        os.execve(place, list(words), env)
    raise OSError(refused)


def enter(root: str, mounts_of: int) -> None:
    """Go where the process with the descriptor `mounts_of` of its mounts lives."""
    system.setns(mounts_of, system.NEW_NS)
    os.chroot(root)
    os.chdir("/")


def _enter(program: Program, root: str) -> None:
    system.unshare(system.NEW_NS | system.NEW_UTS)
    system.set_host_name(program.host_name)
    system.mount("none", "/", flags=system.MS_REC | system.MS_PRIVATE)
    system.mount("tmpfs", root, "tmpfs", system.MS_NOSUID, "mode=755")
    for name in _DIRECTORIES:
        os.makedirs(f"{root}/{name}", exist_ok=True)
    os.chmod(f"{root}/tmp", 0o1777)
    if program.image is not None:
        for path in Path(program.image).iterdir():
            target = f"{root}/{path.name}"
            os.makedirs(target, exist_ok=True)
            if path.name == "etc":  # the only one that is written to: what is mounted is often there
                _copy(path, Path(target))
            else:
                system.bind(str(path), target, read_only=True)
    system.mount("proc", f"{root}/proc", "proc", system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC)
    _make_devices(f"{root}/dev")
    for mounted in program.mounts:
        _show(root, mounted)
    os.makedirs(f"{root}/{program.directory.lstrip('/')}", exist_ok=True)
    if program.read_only:
        system.mount("none", root, flags=system.MS_REMOUNT | system.MS_RDONLY)
    os.chroot(root)


def _copy(source: Path, target: Path) -> None:
    for path in source.iterdir():
        if path.is_file():
            (target / path.name).write_bytes(path.read_bytes())


def _make_devices(directory: str) -> None:
    system.mount("tmpfs", directory, "tmpfs", system.MS_NOSUID, "mode=755")
    for name in _DEVICES:
        Path(directory, name).touch()
        system.bind(f"/dev/{name}", f"{directory}/{name}")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"{directory}/{name}")
    os.symlink("/proc/self/fd", f"{directory}/fd")
    os.mkdir(f"{directory}/shm")
    os.chmod(f"{directory}/shm", 0o1777)


def _show(root: str, mounted: Mount) -> None:
    target = Path(root, mounted.target.lstrip("/"))
    if os.path.isdir(mounted.source):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    system.bind(mounted.source, str(target), read_only=mounted.read_only)


def _be_user(program: Program) -> None:
    os.setgroups(list(program.groups))
    os.setgid(program.group)
    os.setuid(program.user)
