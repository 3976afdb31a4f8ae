"""What the stand-in remembers, in plain lists that tests and the demo read."""

import itertools
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "statuses": "write",
}
"""What Errand's App asks for."""

TOKEN_SECONDS = 3600.0
GIT_SECONDS = 20.0
_SHA = re.compile(r"[0-9a-f]{40}")
_SHORT_SHA = re.compile(r"[0-9a-f]{4,40}")


@dataclass(slots=True)
class Pull:
    """A pull request; `head_repository` is None where the fork is gone."""

    number: int
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_ref: str
    state: str = "open"


@dataclass(slots=True)
class Repository:
    """A repository; commits come from the git repository at `git`, else from `refs` (name to SHA)."""

    id: int
    name: str
    private: bool
    default_branch: str
    git: Path | None
    refs: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # login to role name
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: set[int] = field(default_factory=set)

    def resolve(self, ref: str) -> str | None:
        """The SHA of a branch, a tag or a (short) SHA, None where there is none; runs git."""
        if self.git is None:
            matches = {sha for sha in self.refs.values() if _SHORT_SHA.fullmatch(ref) and sha.startswith(ref)}
            return self.refs.get(ref) or (matches.pop() if len(matches) == 1 else None)
        names = [f"refs/heads/{ref}", f"refs/tags/{ref}", f"refs/{ref}"]
        if _SHORT_SHA.fullmatch(ref):
            names.append(ref)
        for name in names:
            argv = ["git", "-C", str(self.git), "rev-parse", "--verify", "--quiet", "--end-of-options"]
            done = subprocess.run(
                [*argv, f"{name}^{{commit}}"],
                capture_output=True,
                text=True,
                timeout=GIT_SECONDS,
                check=False,
            )
            found = done.stdout.strip()
            if done.returncode == 0 and _SHA.fullmatch(found):
                return found
        return None


@dataclass(slots=True)
class Comment:
    """A comment on an issue or a pull request; `history` has every text it had, the current one last."""

    id: int
    repository: str
    issue: int
    login: str
    app: int | None
    created_at: float
    updated_at: float
    history: list[str]

    @property
    def body(self) -> str:
        """The current text."""
        return self.history[-1]


@dataclass(slots=True)
class Reaction:
    """A reaction to a comment."""

    id: int
    repository: str
    comment: int
    login: str
    content: str
    created_at: float


@dataclass(slots=True)
class Status:
    """A commit status."""

    id: int
    repository: str
    sha: str
    login: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    created_at: float


@dataclass(slots=True)
class Check:
    """A check run; `history` has (status, conclusion) as they changed."""

    id: int
    repository: str
    head_sha: str
    app: int
    name: str
    status: str = "queued"
    conclusion: str | None = None
    details_url: str | None = None
    external_id: str = ""
    started_at: str | None = None
    completed_at: str | None = None
    output: dict[str, str | None] = field(default_factory=dict)
    history: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass(slots=True)
class Installation:
    """An App's installation on an account; `repositories` None: all of the account's."""

    id: int
    account: str
    permissions: dict[str, str]
    repositories: set[str] | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A token: an installation's (with an end and perhaps fewer rights) or a person's."""

    text: str
    login: str
    installation: int | None = None
    permissions: dict[str, str] | None = None
    repositories: frozenset[str] | None = None
    expires_at: float | None = None


@dataclass(slots=True)
class State:
    """All of it."""

    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1001))
    repositories: dict[str, Repository] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    used: dict[tuple[str, int], int] = field(default_factory=dict)  # requests by token and hour

    def repository(self, name: str) -> Repository | None:
        """By name; GitHub ignores case."""
        return next((each for key, each in self.repositories.items() if key.lower() == name.lower()), None)
