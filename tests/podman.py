"""Podman for tests: a storage of its own that goes away, and an image with sh and bash of this machine."""

import os
import re
import shutil
import socket as socketlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_CONF = """[containers]
default_ulimits = [{ulimits}]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "{runtime}"
[network]
network_backend = "cni"
"""

_MOST = 16384
"""The highest rlimit that is asked for: Podman starts what it runs with a lower one than this process has."""

_DOCKERFILE = """FROM scratch
COPY . /
RUN ["/bin/busybox", "--install", "-s", "/bin"]
ENV PATH=/bin
"""


class Podman:
    """One installation of Podman: `command` and `arguments` are what every call of it begins with."""

    command = "podman"
    image = "localhost/errand-test:base"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.arguments = ("--root", str(directory / "root"), "--runroot", str(directory / "run"))

    def run(self, *words: str, check: bool = True) -> str:
        """Call it; gives what it printed."""
        done = subprocess.run(
            [self.command, *self.arguments, *words], capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"podman {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def wait_for(self, socket: Path) -> None:
        """Wait until a service of it listens."""
        until = time.monotonic() + 20
        while True:
            with socketlib.socket(socketlib.AF_UNIX) as probe:
                if probe.connect_ex(str(socket)) == 0:
                    return
            if time.monotonic() > until:
                raise AssertionError("Podman's service does not start")
            time.sleep(0.02)

    def make_base(self) -> None:
        """Build `image`: busybox, and bash with the libraries that it needs."""
        context = self.directory / "base"
        (context / "bin").mkdir(parents=True)
        shutil.copy("/bin/busybox", context / "bin")
        bash = Path("/bin/bash")
        linked = subprocess.run(["ldd", bash], capture_output=True, text=True, check=True).stdout
        for name in (str(bash), *re.findall(r"(/\S+)", linked)):
            to = context / name.lstrip("/")
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, to)
        (self.directory / "Dockerfile").write_text(_DOCKERFILE)
        self.run("build", "-q", "-t", self.image, "-f", str(self.directory / "Dockerfile"), str(context))

    def close(self) -> None:
        """Remove every container with its networks, every image, and what of them is mounted."""
        networks = set(re.findall(r"errand-[^\s,]+", self.run("ps", "--all", "--format", "{{.Networks}}")))
        self.run("rm", "--all", "--force", "--time", "0", check=False)
        if networks:
            self.run("network", "rm", *networks, check=False)
        self.run("rmi", "--all", "--force", check=False)
        subprocess.run(["umount", str(self.directory / "root" / "overlay")], capture_output=True, check=False)


def _configuration() -> str:
    """What Podman has to be told here: rlimits that this process may set, a runtime that starts."""
    limits = {}
    for line in Path("/proc/self/limits").read_text().splitlines():
        if found := re.match(r"Max (open files|processes) +(\d+) +(\d+)", line):
            name = {"open files": "nofile", "processes": "nproc"}[found[1]]
            limits[name] = ":".join(str(min(int(value), _MOST)) for value in found.groups()[1:])
    ulimits = ", ".join(f'"{name}={value}"' for name, value in limits.items())
    return _CONF.format(ulimits=ulimits, runtime="runc" if shutil.which("runc") else "crun")


def missing() -> str | None:
    """Say why Podman cannot run here; None if it can."""
    names = [name for name in ("podman", "catatonit", "busybox") if not _has(name)]
    if names or os.uname().sysname != "Linux":
        return f"needs Linux with {', '.join(names) or 'Podman'}"
    return None


@contextmanager
def installed() -> Iterator[Podman]:
    """An installation of its own until the block ends; the environment says how it is configured."""
    directory = Path(tempfile.mkdtemp(prefix="errand-podman-"))
    conf = directory / "containers.conf"
    conf.write_text(_configuration())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(conf))
        made = Podman(directory)
        try:
            made.make_base()
            yield made
        finally:
            made.close()
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    """One Podman for all tests of a process; skipped where it cannot run, an error in CI."""
    reason = missing()
    if reason:
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with installed() as made:
        yield made
    unmount(tmp_path_factory.getbasetemp())


def unmount(directory: Path) -> None:
    """Unmount what Podman mounts below `directory`, the innermost first: it cannot be deleted else."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    for path in sorted((Path(line.split()[4]) for line in lines), reverse=True):
        if path.is_relative_to(directory):
            subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)


@pytest.fixture(scope="session")
def podman_socket(podman: Podman) -> Iterator[str]:
    """Podman as a service for all tests of a process: each could start its own, in half a second."""
    socket = podman.directory / "service.sock"
    command = [podman.command, *podman.arguments, "system", "service", "--time=0", f"unix://{socket}"]
    with subprocess.Popen(command, cwd=podman.directory) as service:  # where its monitors leave files
        podman.wait_for(socket)
        yield str(socket)
        service.terminate()


def _has(name: str) -> bool:
    places = ("/usr/libexec/podman", "/usr/lib/podman", "/usr/bin", "/bin")
    return bool(shutil.which(name)) or any((Path(place) / name).exists() for place in places)
