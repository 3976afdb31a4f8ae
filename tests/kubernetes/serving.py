"""Starts the server for tests, as a process of its own that goes away with all it started."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kubernetes.machine import is_able
from tests.measuring import without_coverage


@dataclass(frozen=True)
class Server:
    """A server that runs. `kubeconfig` has the contexts `errand` (its Role's rules) and `admin`."""

    directory: Path
    url: str

    @property
    def kubeconfig(self) -> Path:
        """Where it is and who one is."""
        return self.directory / "kubeconfig"

    def break_(self, do: str, **how: Any) -> None:
        """Make something go wrong; see `faults`."""
        httpx.post(f"{self.url}/-/faults", json={"do": do, **how}).raise_for_status()

    def figures(self) -> dict[str, Any]:
        """Give how many requests there were by verb and resource, and the connections that there are."""
        said: dict[str, Any] = httpx.get(f"{self.url}/-/faults").raise_for_status().json()
        return said


@contextmanager
def serving(*words: str) -> Iterator[Server]:
    """Run a server until the block ends; `words` are those of its command line."""
    # Not pytest's own directory: users of containers may not enter that.
    with tempfile.TemporaryDirectory(prefix="errand-kubernetes-", ignore_cleanup_errors=True) as directory:
        command = [sys.executable, "-m", "tests.kubernetes", directory, "--attached", *words]
        environ, root = without_coverage(os.environ), Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environ) as process:
            assert process.stdout is not None
            said = process.stdout.readline().decode().split()
            assert said[:1] == ["ready"], "the server does not start"
            os.chmod(directory, 0o755)
            try:
                yield Server(Path(directory), said[1])
            finally:
                process.terminate()
                process.wait()


def missing() -> str | None:
    """Say why the server cannot run containers here; None if it can."""
    if not shutil.which("busybox"):
        return "needs busybox"
    return None if is_able() else "needs root and unshare"


@pytest.fixture(scope="session")
def kubernetes_server() -> Iterator[Server]:
    """One server for all tests of a process; skipped where it cannot run, an error in CI."""
    reason = missing()
    if reason:
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with serving() as server:
        yield server
