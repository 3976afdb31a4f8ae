"""The images that the server has: busybox and bash in a file system of its own, as root or another user."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUSYBOX = "localhost/busybox:1.35"
PLAIN_USER = "localhost/busybox-user:1.35"
NO_SHELL = "localhost/busybox-bare:1.35"
"""An image with `sleep`, `true` and `env`, and nothing else."""
_BARE = ("sleep", "true", "env", "cat", "echo")
_PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
_GROUP = "root:x:0:\nnobody:x:65534:\n"


_NAME = re.compile(
    r"([a-zA-Z0-9.-]+(:[0-9]+)?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)


@dataclass(frozen=True)
class Image:
    """What an image is called, whom it runs as, and where its files are (None: this machine's own)."""

    name: str
    user: int = 0
    root: Path | None = None
    command: tuple[str, ...] = ("sh",)

    @property
    def digest(self) -> str:
        """Its name by content."""
        repository = self.name.rsplit(":", 1)[0]
        return f"{repository}@sha256:{hashlib.sha256(self.name.encode()).hexdigest()}"


class Images:
    """All images by name and by digest."""

    def __init__(self, directory: Path, *, roots: bool) -> None:
        whole = _make(directory / "busybox") if roots else None
        bare = _make(directory / "bare", _BARE) if roots else None
        known = (
            Image(BUSYBOX, root=whole),
            Image(PLAIN_USER, 1000, whole),
            Image(NO_SHELL, root=bare, command=("sleep",)),
        )
        self._known = {image.name: image for image in known} | {image.digest: image for image in known}

    def find(self, name: str) -> Image | None:
        """Give the image of that name."""
        return self._known.get(name)


def is_name(name: str) -> bool:
    """Whether an image can be called so."""
    return bool(_NAME.fullmatch(name))


def refusal(name: str) -> str:
    """What a registry that does not have an image makes the runtime say."""
    host, _, path = name.partition("/")
    if "." not in host and ":" not in host and host != "localhost":
        host, path = "docker.io", f"library/{name}" if not path else name
    full = f"{host}/{path}"
    return f'failed to pull and unpack image "{full}": failed to resolve image: {full}: not found'


def _make(root: Path, only: tuple[str, ...] | None = None) -> Path:
    busybox = shutil.which("busybox") or "/bin/busybox"
    (root / "bin").mkdir(parents=True)
    (root / "etc").mkdir()
    shutil.copy(busybox, root / "bin" / "busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for name in only or listed:
        if name != "busybox":
            os.symlink("busybox", root / "bin" / name)
    if only is None:
        _add_bash(root)
    (root / "etc" / "passwd").write_text(_PASSWD)
    (root / "etc" / "group").write_text(_GROUP)
    return root


def _add_bash(root: Path) -> None:
    """Give it this machine's bash, in which `setup` runs, with the libraries that bash needs."""
    bash = shutil.which("bash")
    if bash is None:
        return
    listed = subprocess.run(["ldd", bash], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(0x", listed):
        place = root / library.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, place)
    shutil.copy(bash, root / "bin" / "bash")
