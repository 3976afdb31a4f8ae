"""What keeps the builds of one repository from those of another, in one storage of images."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from executor.supervisor import record

_KEY = "names.key"
_LETTERS = 32


class Repositories:
    """Names and directories of the repositories that are built below `directory`. Blocking."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def open(self) -> None:
        """Make the key that names are drawn from, if there is none; raises OSError."""
        self._directory.mkdir(0o700, parents=True, exist_ok=True)
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
        """Give its directory for temporary files, where Buildah keeps cache mounts; made if there is none.

        `repository` has been checked to be a path (`trees.of_build`).
        """
        path = self._directory / "caches" / repository
        path.mkdir(0o700, parents=True, exist_ok=True)
        return path
