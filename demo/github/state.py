"""What the stand-in remembers, in plain lists that tests and the demo read."""

import itertools
import re
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from demo import entities
from demo.github.accounts import Client, Installation, Organization, Registered, Token

PERMISSIONS = {
    "metadata": "read",
    "contents": "read",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "statuses": "write",
    "deployments": "write",
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
    merged: bool = False
    head_number: int | None = None  # of the head's repository
    draft: bool = False
    updated_at: float = 0.0
    reviews: list["PullReview"] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)  # SHAs, where they are not only the head


@dataclass(frozen=True, slots=True)
class Move:
    """A push of a branch (`refs/heads/main`), at GitHub's time."""

    ref: str
    before: str
    after: str
    at: float


@dataclass(frozen=True, slots=True)
class PullReview:
    """What somebody said of a commit: APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    login: str
    state: str
    commit: str


@dataclass(slots=True)
class Repository:
    """A repository; commits come from the git repository at `git`, else from `refs` (name to SHA)."""

    id: int
    name: str
    private: bool
    default_branch: str
    git: Path | None
    refs: dict[str, str] = field(default_factory=dict)  # branches
    tags: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)  # SHA to SHA, where there is no git
    messages: dict[str, str] = field(default_factory=dict)  # by SHA, where there is no git
    people: dict[str, str] = field(default_factory=dict)  # login to role name
    pulls: dict[int, Pull] = field(default_factory=dict)
    issues: set[int] = field(default_factory=set)
    moves: list[Move] = field(default_factory=list)
    unsigned: set[str] = field(default_factory=set)  # commits whose signature is not verified
    archived: bool = False
    files: dict[str, dict[str, bytes | str]] = field(default_factory=dict)  # by SHA, where there is no git

    def resolve(self, ref: str) -> str | None:
        """The SHA of a branch, a tag, a pull request or a (short) SHA, None where there is none; runs git.

        As at GitHub a SHA is found wherever it is: also where only a pull request, of a fork too, has it.
        """
        named = self.names.get(ref)
        if self.git is None:
            known = {*self.refs.values(), *self.tags.values(), *self.parents, *self.parents.values()}
            known |= {pull.head_sha for pull in self.pulls.values()}
            matches = {sha for sha in known if _SHORT_SHA.fullmatch(ref) and sha.startswith(ref)}
            return named or (matches.pop() if len(matches) == 1 else None)
        if named is not None:
            return self.commit_of(named)
        return self.commit_of(ref) if _SHORT_SHA.fullmatch(ref) else None

    @property
    def names(self) -> dict[str, str]:
        """Every way to name a ref, and the object it points to; a short name is the branch's first."""
        whole = self.references
        names = dict(whole)
        for prefix in ("refs/", "refs/tags/", "refs/heads/"):
            names |= {ref.removeprefix(prefix): sha for ref, sha in whole.items() if ref.startswith(prefix)}
        return names

    @property
    def references(self) -> dict[str, str]:
        """Refs by their whole names, with the object that each points to; runs git."""
        pulls = {f"refs/pull/{number}/head": pull.head_sha for number, pull in self.pulls.items()}
        if self.git is not None:
            listed = self.run_git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
            return {**pulls, **{line.partition(" ")[2]: line.partition(" ")[0] for line in listed}}
        heads = {f"refs/heads/{name}": sha for name, sha in self.refs.items()}
        return {**pulls, **heads, **{f"refs/tags/{name}": sha for name, sha in self.tags.items()}}

    def commit_of(self, thing: str) -> str | None:
        """The commit that an object is or, as a tag, points to."""
        if self.git is None:
            return thing
        found = self.run_git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{thing}^{{commit}}")
        return found if _SHA.fullmatch(found) else None

    def tag_target(self, sha: str) -> str | None:
        """The commit that an annotated tag points to; None where `sha` is no tag."""
        if self.git is None or self.run_git("cat-file", "-t", sha) != "tag":
            return None
        return self.commit_of(sha)

    def is_before(self, old: str, new: str) -> bool:
        """Whether `old` is `new` or one of the commits before it."""
        if self.git is not None:
            return self.run_git("merge-base", old, new) == old
        at: str | None = new
        while at is not None and at != old:
            at = self.parents.get(at)
        return at == old

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both have; None where they have none in common."""
        if self.git is not None:
            return self.run_git("merge-base", one, other) or None
        at: str | None = one
        while at is not None and not self.is_before(at, other):
            at = self.parents.get(at)
        return at

    def message(self, sha: str) -> str:
        """What the message of a commit says."""
        if self.git is None:
            return self.messages.get(sha, "A change")
        return self.run_git("log", "-1", "--format=%B", "--end-of-options", sha)

    def between(self, base: str, head: str) -> list[str]:
        """The commits that `head` has and `base` has not, the oldest first."""
        if self.git is not None:
            return self.run_git("rev-list", "--reverse", f"{base}..{head}").split()
        found: list[str] = []
        at: str | None = head
        while at is not None and not self.is_before(at, base):
            found.insert(0, at)
            at = self.parents.get(at)
        return found

    def run_git(self, *arguments: str) -> str:
        """What git prints; nothing where it fails."""
        done = subprocess.run(
            ["git", "-C", str(self.git), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
        return done.stdout.strip() if done.returncode == 0 else ""


@dataclass(slots=True)
class Comment:
    """A comment on an issue or a pull request; `history` has every text it had, the current one last.

    `thread`: on a line of the code, the first comment there; `minimized` is why it is folded away.
    """

    id: int
    repository: str
    issue: int
    login: str
    app: int | None
    created_at: float
    updated_at: float
    history: list[str]
    thread: int | None = None
    minimized: str | None = None

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
    actions: list[dict[str, str]] = field(default_factory=list)
    annotations: list[dict[str, object]] = field(default_factory=list)
    history: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass(slots=True)
class DeploymentStatus:
    """How a deployment stood from a moment on."""

    id: int
    login: str
    state: str
    description: str
    log_url: str | None
    environment_url: str | None
    created_at: float


@dataclass(slots=True)
class Deployment:
    """A commit that is to be deployed to an environment; the last of `statuses` counts."""

    id: int
    repository: str
    sha: str
    environment: str
    statuses: list[DeploymentStatus] = field(default_factory=list)

    @property
    def states(self) -> list[str]:
        """Every state that it had."""
        return [each.state for each in self.statuses]


@dataclass(slots=True)
class Review:
    """What an App said of a deployment that waits; without a `state` it is a report alone."""

    repository: str
    run: int  # of the workflow
    environment: str
    state: str | None
    comment: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A delivery, with what it was answered (0: nobody answered)."""

    id: int
    guid: str
    event: str
    payload: dict[str, Any]
    status_code: int
    at: float
    redelivery: bool = False


@dataclass(slots=True)
class State:
    """All of it."""

    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1001))
    repositories: dict[str, Repository] = field(default_factory=dict)
    former: dict[str, int] = field(default_factory=dict)  # names that lead to a number, in small letters
    numbers: set[int] = field(default_factory=set)  # of repositories, those that are gone too
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)  # by name, in small letters
    comments: list[Comment] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    reviews: list[Review] = field(default_factory=list)
    waiting: set[tuple[str, int, str]] = field(default_factory=set)  # repository, run and environment
    codes: dict[str, Registered] = field(default_factory=dict)  # of manifests, until they are exchanged
    private_key: str = field(default="", repr=False)  # the App's, which it is told once
    client: Client = field(default_factory=Client)
    registered: Registered | None = None  # what the App was made of, if that was asked for
    used: dict[tuple[str, str, int], int] = field(default_factory=dict)  # by token, limit and hour

    def repository(self, name: str) -> Repository | None:
        """By name; GitHub ignores case."""
        return next((each for key, each in self.repositories.items() if key.lower() == name.lower()), None)

    def numbered(self, number: int | None) -> Repository | None:
        """By number, which no other repository ever has."""
        return next((each for each in self.repositories.values() if each.id == number), None)

    def moved(self, name: str) -> Repository | None:
        """The repository that was called `name` once, as long as no other one is called so."""
        return None if self.repository(name) else self.numbered(self.former.get(name.lower()))

    def new_number(self, name: str) -> int:
        """A number that no repository had yet: that of the name, as payloads have it, where it is free."""
        number = entities.number_of(name)
        while number in self.numbers:
            number += 1
        self.numbers.add(number)
        return number

    def rename(self, old: str, new: str) -> None:
        """Let a repository be called otherwise, with all that is known of it by its name."""
        known = self.repositories.pop(old)
        known.name = new
        self.repositories[new] = known
        self.former.pop(new.lower(), None)
        self.former[old.lower()] = known.id
        records: list[Comment | Reaction | Status | Check | Deployment]
        records = [*self.comments, *self.reactions, *self.statuses, *self.checks]
        records += self.deployments.values()
        for each in records:
            if each.repository == old:
                each.repository = new
        for installation in self.installations.values():
            if installation.repositories is not None and old in installation.repositories:
                installation.repositories = installation.repositories - {old} | {new}
        for text, token in self.tokens.items():
            if token.repositories is not None and old in token.repositories:
                self.tokens[text] = replace(token, repositories=token.repositories - {old} | {new})
