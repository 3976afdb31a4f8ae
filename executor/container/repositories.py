"""What keeps the builds of one repository from those of another.

directory/names.key                   what names of images are drawn from
directory/policy.json                 where images may come from: registries, and nothing of this machine
directory/images/OWNER/NAME           Podman's storage of what the repository built
directory/caches/OWNER/NAME           its temporary files, among which Buildah keeps cache mounts
directory/logins/OWNER/NAME.json      the registries that its Dockerfiles may use, by `podman login`
directory/locks/OWNER/NAME            shared by builds, held alone by who clears away
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from executor.supervisor import record

_KEY = "names.key"
_LETTERS = 32
_NONE = "none.json"
"""A file of logins without any; no OWNER is called so, since it is no directory."""


class Repositories:
    """Names and directories of the repositories that are built below `directory`. Blocking.

    A `repository` has been checked to be a path (`trees.of_build`).
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self) -> None:
        """Make the key that names are drawn from, if there is none; raises OSError."""
        self._directory.mkdir(0o700, parents=True, exist_ok=True)
        logins = self._directory / "logins"
        logins.mkdir(0o700, exist_ok=True)
        (logins / _NONE).write_text("{}\n", encoding="ascii")
        path = self._directory / _KEY
        if path.exists():
            return
        made = path.with_name(f"{_KEY}.{os.getpid()}")
        made.touch(0o600)
        made.write_bytes(secrets.token_bytes(32))
        with open(made, "rb") as file:
            os.fsync(file.fileno())
        made.rename(path)
        record.sync_directory(str(self._directory))

    def word(self, repository: str) -> str:
        """Give the part of its images' names that nobody can guess, so no other Dockerfile can name them."""
        key = (self._directory / _KEY).read_bytes()
        return hmac.new(key, repository.encode(), hashlib.sha256).hexdigest()[:_LETTERS]

    def temporary(self, repository: str) -> Path:
        """Give its directory for temporary files; made if there is none. That it is used now is noted."""
        path = self.cache(repository)
        path.mkdir(0o700, parents=True, exist_ok=True)
        os.utime(path)
        return path

    def cache(self, repository: str) -> Path:
        """Name the same directory, which may not be there."""
        return self._directory / "caches" / repository

    def finished(self, repository: str) -> Path:
        """Name the file that says which images were made of what."""
        return self.cache(repository) / "finished.json"

    def images(self, repository: str) -> Path:
        """Name the directory of its images, free of links: a policy is about its real path."""
        return Path(os.path.realpath(self._directory / "images" / repository))

    def policy(self, repository: str) -> Path:
        """Name the file that says where images of its Dockerfiles may come from."""
        return self._directory / "policies" / f"{repository}.json"

    def logins(self, repository: str) -> Path:
        """Name its file of logins to registries, or one without any."""
        own = self._directory / "logins" / f"{repository}.json"
        return own if own.is_file() else self._directory / "logins" / _NONE

    def lock(self, repository: str) -> Path:
        """Name the file that is locked while it builds."""
        path = self._directory / "locks" / repository
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        return path

    def all(self) -> Iterator[str]:
        """Those of which something is kept, the one that was built longest ago first."""
        caches, images = self._directory / "caches", self._directory / "images"
        found: dict[str, float] = {}
        for path in (*images.glob("*/*"), *caches.glob("*/*")):  # a cache says when it was used
            found[f"{path.parent.name}/{path.name}"] = path.stat().st_mtime
        yield from sorted(found, key=lambda name: found[name])
