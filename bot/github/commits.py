"""Which commit a name means, and whether it is the repository's own.

GitHub keeps the commits of forks and of pull requests with those of the repository they were made from, and
finds them there by SHA and by `pull/N/head`. So names are asked for as what they are, and a commit that no
branch and no tag named counts as the repository's own when it is on one of them.
https://docs.github.com/rest/git/refs and https://docs.github.com/rest/commits/commits
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from urllib.parse import quote

from bot.errors import Refused, Unfit
from bot.github import answers
from bot.github.answers import field, needed, repository_path, text
from bot.github.transport import Answer, Call
from bot.text import refs

COMPARED = 100
"""Branches, and as many tags, that a commit is compared with; on further ones it counts as a fork's."""
TOGETHER = 8
"""Comparisons that are asked for at once."""
KEPT = 2000
"""Answers that are remembered."""
OWN_SECONDS = 86400.0
"""A commit that was on a branch once was put there by somebody who may write."""
FOREIGN_SECONDS = 60.0
"""Short: it may be pushed to a branch soon."""
NESTED = 5
"""Tags of tags that are followed to their commit."""

_SHA = "application/vnd.github.sha"  # the SHA alone; a commit's JSON may hold megabytes of patches
_ABSENT = (404, 409, 422)

Send = Callable[[str, Call], Awaitable[Answer]]
Kind = Literal["branch", "tag", "commit"]


@dataclass(frozen=True, slots=True)
class NamedCommit:
    """A full SHA and what the name of it is; `also_tag`: a tag has the same name as the branch."""

    sha: str
    kind: Kind
    name: str
    also_tag: bool = False

    @property
    def ref(self) -> str:
        """As it is stored and shown: `main`, `tags/v1`, a SHA."""
        return f"tags/{self.name}" if self.kind == "tag" else self.name


class Commits:
    """Asks through `send`; `clock` gives seconds since the epoch."""

    def __init__(self, send: Send, clock: Callable[[], float]) -> None:
        self._send = send
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], tuple[bool, float]] = OrderedDict()

    async def named(self, repository: str, ref: str) -> NamedCommit:
        """The branch called `ref`, else the tag, else that commit; `Unfit` where there is none."""
        answers.require_ref(ref)
        found = None
        if not refs.is_full_sha(ref.lower()):
            found = await self._branch_or_tag(repository, ref)
        if found is None and (refs.is_sha(ref) or refs.is_pull(ref)):
            found = await self._commit(repository, ref)
        return found or _missing(repository, ref)

    async def branch(self, repository: str, name: str) -> NamedCommit:
        """The branch of just that name; `Unfit` where there is none."""
        answers.require_ref(name)
        sha = await self._reference(repository, "heads", name)
        return NamedCommit(sha, "branch", name) if sha else _missing(repository, name)

    async def owns(self, repository: str, sha: str, default_branch: str) -> bool:
        """Whether the commit is on a branch or a tag of the repository; the answer is remembered."""
        key, now = (repository.casefold(), sha), self._clock()
        known = self._known.get(key)
        if known is not None and known[1] > now:
            return known[0]
        own = await self._is_on_any(repository, sha, default_branch)
        self._known[key] = own, now + (OWN_SECONDS if own else FOREIGN_SECONDS)
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return own

    # Names ----------------------------------------------------------------------------------------

    async def _branch_or_tag(self, repository: str, ref: str) -> NamedCommit | None:
        branch, tag = await asyncio.gather(
            self._reference(repository, "heads", ref), self._reference(repository, "tags", ref)
        )
        if branch is not None:
            return NamedCommit(branch, "branch", ref, also_tag=tag is not None)
        if tag is not None:
            return NamedCommit(tag, "tag", ref)
        for kind, name in refs.meanings(ref):
            sha = await self._reference(repository, kind, name)
            if sha is not None:
                return NamedCommit(sha, "branch" if kind == "heads" else "tag", name)
        return None

    async def _reference(self, repository: str, kind: str, name: str) -> str | None:
        """The commit of just that branch or tag, whatever else git would read in its name."""
        whole = f"refs/{kind}/{name}"
        data = await self._data(repository, f"git/ref/{kind}/{quote(name, safe='/')}")
        if text(data, "ref") != whole:
            return None
        sort, sha = text(data, "object", "type"), text(data, "object", "sha")
        for _ in range(NESTED):
            if sort != "tag" or sha is None:
                break
            data = await self._data(repository, f"git/tags/{quote(sha, safe='')}")
            sort, sha = text(data, "object", "type"), text(data, "object", "sha")
        return answers.sha(sha) if sort == "commit" and sha is not None else None

    async def _commit(self, repository: str, ref: str) -> NamedCommit | None:
        """A commit that GitHub finds by its SHA or as a pull request's: whose it is remains to be asked."""
        path = f"{repository_path(repository)}/commits/{answers.ref_segment(ref)}"
        try:
            answer = await self._send(repository, Call("GET", path, accept=_SHA, may_lack=True))
        except Refused as refused:
            if refused.status in _ABSENT:
                return None
            raise
        sha = needed(answers.sha(answer.text), "the commit's SHA")
        if refs.is_sha(ref) and not sha.startswith(ref.lower()):
            return None
        return NamedCommit(sha, "commit", ref)

    # Whose ----------------------------------------------------------------------------------------

    async def _is_on_any(self, repository: str, sha: str, default_branch: str) -> bool:
        if await self.is_on(repository, sha, f"heads/{default_branch}"):
            return True
        heads = await self._data(repository, f"commits/{quote(sha, safe='')}/branches-where-head")
        if isinstance(heads, list) and heads:
            return True
        for kind, listed in (("heads", "branches"), ("tags", "tags")):
            found = await self._data(repository, listed, {"per_page": COMPARED})
            rows = found if isinstance(found, list) else []
            if any(text(row, "commit", "sha") == sha for row in rows):
                return True
            names = [name for row in rows if (name := text(row, "name")) not in (None, default_branch)]
            if await self._is_on_one(repository, sha, [f"{kind}/{name}" for name in names]):
                return True
        return False

    async def _is_on_one(self, repository: str, sha: str, names: Sequence[str]) -> bool:
        for start in range(0, len(names), TOGETHER):
            some = names[start : start + TOGETHER]
            if any(await asyncio.gather(*(self.is_on(repository, sha, name) for name in some))):
                return True
        return False

    async def is_on(self, repository: str, sha: str, name: str) -> bool:
        """Whether the commit is what `name` (`heads/main`, `tags/v1`) points to, or before it."""
        between = f"{quote(f'refs/{name}', safe='')}...{quote(sha, safe='')}"
        # The second page: the first one lists what changed in every file.
        data = await self._data(repository, f"compare/{between}", {"per_page": 1, "page": 2})
        return field(data, "status") in ("identical", "behind")

    async def _data(
        self, repository: str, path: str, query: dict[str, str | int | None] | None = None
    ) -> Any:
        """The answer's JSON, None where GitHub has nothing there."""
        try:
            call = Call("GET", f"{repository_path(repository)}/{path}", query, may_lack=True)
            return (await self._send(repository, call)).data
        except Refused as refused:
            if refused.status in _ABSENT:
                return None
            raise


def _missing(repository: str, ref: str) -> NoReturn:
    sentence = answers.no_such_commit(repository, ref)
    raise Unfit(sentence, [(("ref",), sentence)])
