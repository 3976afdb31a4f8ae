"""What GitHub's answers mean, read leniently: only what is needed, whatever else is there or missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from bot.errors import Refused, Unfit
from bot.messages import code
from bot.text import refs

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_NUMBERED = re.compile(r"#[1-9][0-9]{0,18}", re.ASCII)
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?")
_T = TypeVar("_T")

_LEVELS = ("none", "read", "triage", "write", "maintain", "admin")
_ROLES = {level: level for level in _LEVELS} | {"pull": "read", "push": "write"}
_COARSE = {"triage": "read", "maintain": "write"}
"""What the older of the two fields calls them."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as GitHub knows it; `name` is `owner/name`."""

    name: str
    default_branch: str
    private: bool
    number: int | None = None
    owner_number: int | None = None
    archived: bool = False


@dataclass(frozen=True, slots=True)
class KnownRepository:
    """What is known of a repository: its number, if it was seen, and what GitHub called it last."""

    number: int | None
    name: str

    @property
    def reference(self) -> str:
        """By which it is asked for, whatever it is called by now and whoever has its name."""
        return self.name if self.number is None else f"#{self.number}"

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.name.partition("/")[0].casefold()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request. `head_repository` is None where the fork it came from is gone."""

    number: int
    state: str  # open | closed
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_ref: str
    merged: bool = False
    head_number: int | None = None
    base_number: int | None = None
    base_repository: str | None = None
    author: str | None = None
    draft: bool = False
    updated_at: float | None = None
    private: bool | None = None  # the base's, where GitHub says it

    @property
    def is_fork(self) -> bool:
        """Whether the code is of another repository: by the numbers, since names may be old ones."""
        if self.head_number is not None and self.base_number is not None:
            return self.head_number != self.base_number
        names = (self.head_repository, self.base_repository)
        return None in names or len({(name or "").casefold() for name in names}) > 1


@dataclass(frozen=True, slots=True)
class PostedComment:
    """A comment of ours; `node` is its id of the GraphQL API, None where GitHub did not say it."""

    number: int
    node: str | None = None


def posted(data: Any) -> PostedComment:
    """The comment in an answer; `Refused` where there is none."""
    return PostedComment(needed(number(data, "id"), "the comment's id"), text(data, "node_id"))


def repository_path(name: str) -> str:
    """`repos/owner/name`, escaped for a URL, or `repositories/N` for `#N`; `Refused` for what is neither.

    GitHub leads from the old names of a repository to the latter, and serves all that it serves below names.
    https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
    """
    if _NUMBERED.fullmatch(name):
        return f"repositories/{name[1:]}"
    if not _REPOSITORY.fullmatch(name):
        raise Refused("that is no repository name (owner/name)", status="invalid_repository")
    return "repos/" + quote(name, safe="/")


def login_segment(login: str) -> str | None:
    """The login, escaped for a URL; None where nobody can be called that."""
    return quote(login, safe="") if _LOGIN.fullmatch(login) else None


def require_ref(ref: str) -> None:
    """`Unfit` where git lets no branch, no tag and no commit be called so."""
    if not refs.is_name(ref):
        sentence = "That is no name of a branch, a tag or a commit."
        raise Unfit(sentence, [(("ref",), sentence)])


def ref_segment(ref: str) -> str:
    """The branch, tag or SHA, escaped for a URL; `Unfit` where git allows no such name."""
    require_ref(ref)
    return quote(ref, safe="")  # a slash too: `x/status` would be another address


def level(data: Any) -> str:
    """One of six levels from `none` to `admin`: the lower of `permission` and `role_name`, if both are known.

    `permission` knows four of them only, so a role that it cannot tell from its own counts as it is.
    https://docs.github.com/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    coarse, role = (_ROLES.get(text(data, name) or "") for name in ("permission", "role_name"))
    if role is not None and (coarse is None or _COARSE.get(role, role) == coarse):
        return role
    known = [each for each in (coarse, role) if each is not None]
    return min(known, key=_LEVELS.index, default="none")


def field(data: Any, *path: str) -> Any:
    """The value at `path` in nested objects, None where any of it is missing."""
    for key in path:
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data


def listed(data: Any, *path: str) -> list[Any]:
    """The list at `path`, empty where there is none."""
    value = field(data, *path)
    return value if isinstance(value, list) else []


def text(data: Any, *path: str) -> str | None:
    """The string at `path`, None where there is none."""
    value = field(data, *path)
    return value if isinstance(value, str) else None


def number(data: Any, *path: str) -> int | None:
    """The integer at `path`, None where there is none."""
    value = field(data, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def needed(value: _T | None, what: str) -> _T:
    """The value; `Refused` where GitHub's answer lacks it."""
    if value is None:
        raise Refused(f"GitHub's answer lacks {what}", status="unexpected_answer")
    return value


def moment(value: str | None) -> float | None:
    """GitHub's ISO 8601 time as seconds since the epoch."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).timestamp()
    except (ValueError, OverflowError):
        return None


def last_page(link: str | None) -> int:
    """The number of the last page in a `Link` header, 1 where there is none."""
    found = re.search(r'[?&]page=(\d{1,6})[^>]*>;\s*rel="last"', link or "")
    return int(found.group(1)) if found else 1


def sha(value: str) -> str | None:
    """The full lower-case SHA (SHA-1 or SHA-256) that an answer consists of."""
    value = value.strip().strip('"').lower()
    return value if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", value) else None


def no_such_commit(repository: str, ref: str) -> str:
    """The sentence for who asked for a commit that is not there."""
    return f"{code(repository)} has no branch, tag or commit {code(ref)}, or Errand may not see it."
