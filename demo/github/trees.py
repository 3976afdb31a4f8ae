"""What commits hold at their root, and what files hold."""

import asyncio
import base64
import hashlib
import re
import subprocess
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from demo.github.access import ApiError, not_found
from demo.github.endpoints import REPO, Endpoints, Table
from demo.github.state import GIT_SECONDS, Repository

LARGEST = 100 * 1024 * 1024
"""Bytes of a blob that is given."""
_SHA = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a tree has at its root; `size` is a file's."""

    path: str
    mode: str
    type: str  # blob | tree | commit
    sha: str
    size: int | None = None


class Trees(Endpoints):
    """Trees and blobs."""

    def table(self) -> Table:
        """The endpoints."""
        return [
            ("GET", f"{REPO}/git/trees/{{sha}}", self.get_tree),
            ("GET", f"{REPO}/git/blobs/{{sha}}", self.get_blob),
        ]

    async def get_tree(self, request: Request) -> Response:
        """https://docs.github.com/rest/git/trees#get-a-tree"""
        _, repository = self._access.require(request, "read", "contents")
        sha = request.path_params["sha"]
        entries = await asyncio.to_thread(_entries, repository, sha)
        if entries is None:
            raise not_found()
        url = f"{self._shapes.api}/repos/{repository.name}/git"
        shown = [
            {
                "path": each.path,
                "mode": each.mode,
                "type": each.type,
                "sha": each.sha,
                **({"size": each.size} if each.size is not None else {}),
                "url": f"{url}/{each.type}s/{each.sha}",
            }
            for each in entries
        ]
        return JSONResponse({"sha": sha, "url": f"{url}/trees/{sha}", "tree": shown, "truncated": False})

    async def get_blob(self, request: Request) -> Response:
        """https://docs.github.com/rest/git/blobs#get-a-blob"""
        _, repository = self._access.require(request, "read", "contents")
        sha = request.path_params["sha"]
        content = await asyncio.to_thread(_content, repository, sha)
        if content is None:
            raise not_found()
        if len(content) > LARGEST:
            raise ApiError(403, "This API returns blobs up to 100 MB in size.")
        return JSONResponse(
            {
                "sha": sha,
                "node_id": f"B_{sha[:8]}",
                "size": len(content),
                "url": f"{self._shapes.api}/repos/{repository.name}/git/blobs/{sha}",
                "content": base64.encodebytes(content).decode(),
                "encoding": "base64",
            }
        )


def blob_name(data: bytes) -> str:
    """The SHA that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _entries(repository: Repository, sha: str) -> list[Entry] | None:
    """What is at the root of a commit; None where there is no such commit."""
    if repository.git is None:
        known = repository.resolve(sha)
        files = repository.files.get(known or "", {})
        made = [_entry(path, data) for path, data in sorted(files.items())]
        return None if known is None else made
    if not _SHA.fullmatch(sha) or repository.commit_of(sha) is None:
        return None
    entries = []
    for line in repository.run_git("ls-tree", "-l", sha).splitlines():
        facts, _, path = line.partition("\t")
        mode, kind, object_name, size = facts.split()
        entries.append(Entry(path, mode, kind, object_name, int(size) if kind == "blob" else None))
    return entries


def _entry(path: str, data: bytes | str) -> Entry:
    """A file; a text stands for what a link leads to."""
    if isinstance(data, str):
        return Entry(path, "120000", "blob", blob_name(data.encode()), len(data.encode()))
    return Entry(path, "100644", "blob", blob_name(data), len(data))


def _content(repository: Repository, sha: str) -> bytes | None:
    """What a file holds; None where there is no such file."""
    if repository.git is None:
        every = (data for files in repository.files.values() for data in files.values())
        contents = (data.encode() if isinstance(data, str) else data for data in every)
        return next((data for data in contents if blob_name(data) == sha), None)
    if not _SHA.fullmatch(sha) or repository.run_git("cat-file", "-t", sha) != "blob":
        return None
    done = subprocess.run(
        ["git", "-C", str(repository.git), "cat-file", "blob", sha],
        capture_output=True,
        timeout=GIT_SECONDS,
        check=True,
    )
    return done.stdout
