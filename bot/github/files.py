"""A file of a repository as it is at one commit, without a checkout.

By the tree, which says what an entry is and how large before anything of it is fetched: what is a link, or
not a file at all, is not followed. https://docs.github.com/rest/git/trees and https://docs.github.com/rest/git/blobs
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from bot.errors import Refused
from bot.github import answers
from bot.github.answers import field, needed, number, repository_path, text
from bot.github.transport import Answer, Call

Send = Callable[[str, Call], Awaitable[Answer]]

_KINDS = {"120000": "a symbolic link", "160000": "a submodule", "040000": "a directory"}
"""What is no file, by the mode of its entry in a tree."""


class Unusable(Exception):
    """There is something of this name, and it is no file that can be read; one sentence."""


@dataclass(frozen=True, slots=True)
class FileAt:
    """A file at a commit, without its content: by the same `blob` it has the same. `size` is in bytes."""

    blob: str
    size: int


class Files:
    """Asks through `send`."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def find(self, repository: str, commit: str, name: str) -> FileAt | None:
        """The file called `name` at the root, as of a full SHA; None where there is none. `Unusable`."""
        path = f"{repository_path(repository)}/git/trees/{answers.ref_segment(commit)}"
        try:
            data = (await self._send(repository, Call("GET", path, may_lack=True, kept=False))).data
        except Refused as refused:
            if refused.status == 409:  # GitHub has an empty repository
                return None
            raise
        tree = field(data, "tree")
        for entry in tree if isinstance(tree, list) else ():
            if text(entry, "path") == name:
                return _file(entry)
        if field(data, "truncated") is True:
            raise Unusable("the root of the repository has more entries than GitHub lists")
        return None

    async def merge_base(self, repository: str, branch: str, commit: str) -> str | None:
        """The newest commit that both `branch` and `commit` have; None where there is none.

        https://docs.github.com/rest/commits/commits#compare-two-commits
        """
        between = f"{quote(f'refs/heads/{branch}', safe='')}...{answers.ref_segment(commit)}"
        path = f"{repository_path(repository)}/compare/{between}"
        # The second page: the first one lists what changed in every file.
        call = Call("GET", path, {"per_page": 1, "page": 2}, may_lack=True, kept=False)
        try:
            data = (await self._send(repository, call)).data
        except Refused as refused:
            if refused.status in (404, 409, 422):
                return None
            raise
        return answers.sha(text(data, "merge_base_commit", "sha") or "")

    async def content(self, repository: str, file: FileAt) -> bytes:
        """What is in the file; `Refused` where GitHub's answer is none."""
        path = f"{repository_path(repository)}/git/blobs/{answers.ref_segment(file.blob)}"
        data = (await self._send(repository, Call("GET", path, kept=False))).data
        if text(data, "encoding") != "base64":
            raise Refused("GitHub's answer lacks the content of a file", status="unexpected_answer")
        try:
            return base64.b64decode(needed(text(data, "content"), "the content of a file"))
        except (ValueError, binascii.Error):
            raise Refused(
                "GitHub's answer has a content that is no base64", status="unexpected_answer"
            ) from None


def _file(entry: object) -> FileAt:
    mode = text(entry, "mode") or ""
    if mode in _KINDS:
        raise Unusable(f"it is {_KINDS[mode]}, and has to be a file")
    blob = needed(answers.sha(text(entry, "sha") or ""), "the file's SHA")
    return FileAt(blob, needed(number(entry, "size"), "the file's size"))
