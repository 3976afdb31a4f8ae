"""Where checkouts are and how they are called.

    directory/mirrors/OWNER/NAME.git                     a bare mirror, fetched from
    directory/trees/OWNER/NAME/COMMIT-SETUP/work         the commit's files: root and working directory
    directory/trees/OWNER/NAME/COMMIT-SETUP/home         HOME of the setup and of the runs
    directory/trees/OWNER/NAME/COMMIT-SETUP/ready        exists once the setup succeeded
    directory/trees/OWNER/NAME/COMMIT-SETUP.lock         shared by runs, held alone by who makes or deletes

SETUP is a short hash of the setup script: images of one commit with different setups share nothing.
What a container image is built from has the word `context` there, and is without git's own file.
"""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from executor.spec import BuildSpec
from executor.supervisor import lock

READY = "ready"
_KEPT = 10
"""Trees per repository that are kept although nobody uses them."""

_CONTEXT = "context"
"""What stands in the place of a setup's hash for a tree that no setup runs in."""

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_COMMIT = r"[0-9a-f]{64}|[0-9a-f]{40}"
_REPOSITORY = re.compile(rf"{_PART}/{_PART}", re.ASCII)
_REFERENCE = re.compile(
    rf"tree:(?P<repository>{_PART}/{_PART})@(?P<commit>{_COMMIT})\+(?P<setup>[0-9a-f]{{12}})", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Tree:
    """One commit of a repository, made ready by one setup script."""

    repository: str
    commit: str
    setup: str  # hash, or `context`

    @property
    def reference(self) -> str:
        """What `Outcome.image` and `RunSpec.image` say."""
        return f"tree:{self.repository}@{self.commit}+{self.setup}"

    def path(self, directory: Path) -> Path:
        """Its own directory."""
        return directory / "trees" / self.repository / f"{self.commit}-{self.setup}"


def of_build(spec: BuildSpec) -> Tree:
    """Give the tree that a build makes; raises ValueError where a name must not become a path."""
    if not _REPOSITORY.fullmatch(spec.source.repository):
        raise ValueError(f"Not a repository's owner/name: {spec.source.repository[:200]!r}.")
    if not re.fullmatch(_COMMIT, spec.source.commit):
        raise ValueError(f"Not a full commit SHA: {spec.source.commit[:100]!r}.")
    setup = hashlib.sha256((spec.setup or "").encode()).hexdigest()[:12]
    return Tree(spec.source.repository, spec.source.commit, setup)


def of_context(spec: BuildSpec) -> Tree:
    """Give the tree that an image is built from; no run can name it. Raises ValueError as `of_build`."""
    return replace(of_build(spec), setup=_CONTEXT)


def of_reference(reference: str) -> Tree | None:
    """Give the tree that a run names; None if it is not a name that a build gave."""
    found = _REFERENCE.fullmatch(reference)
    return Tree(**found.groupdict()) if found else None


def mirror_path(directory: Path, tree: Tree) -> Path:
    """Name the bare repository that a tree is checked out of."""
    return directory / "mirrors" / f"{tree.repository}.git"


def lock_path(tree: Path) -> Path:
    """Name the file that is locked for a tree."""
    return tree.with_name(tree.name + ".lock")


def prune(tree: Path) -> None:
    """Delete the oldest trees beside `tree`, of the same repository, that no run uses; blocking."""
    with os.scandir(tree.parent) as entries:
        trees = [
            (entry.stat().st_mtime, Path(entry)) for entry in entries if entry.is_dir(follow_symlinks=False)
        ]
    for _, old in sorted(trees, reverse=True)[_KEPT:]:
        descriptor = None if old == tree else lock.alone(str(lock_path(old)), wait=False)
        if descriptor is None:
            continue
        try:
            (old / READY).unlink(missing_ok=True)
            shutil.rmtree(old, ignore_errors=True)
            lock_path(old).unlink(missing_ok=True)
        finally:
            os.close(descriptor)
