"""What happened, as handlers take it."""

from dataclasses import dataclass
from typing import Literal

from bot.events.occurrences import Occurrence

BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"


@dataclass(frozen=True, slots=True)
class Push:
    """A branch, or a tag, now points to `commit` (full SHA). `public`: anyone may see the repository.

    `before` and `after` are what it pointed to, zeros for nothing; `pushed_at` is when, in epoch seconds.
    `changed` are the paths that it added, removed or modified, None where the payload does not tell all of
    them; `unclear` says why then.
    """

    repository: str
    name: str
    default_branch: str
    commit: str
    sender: str
    public: bool
    tag: bool = False
    changed: frozenset[str] | None = None
    unclear: str = ""
    before: str = ""
    after: str = ""
    pushed_at: float | None = None
    skip: str = ""
    """What the message of the newest commit says nothing is to run by, such as `[skip ci]`."""
    number: int | None = None
    """The repository's, which stays when it is renamed."""
    owner_number: int | None = None

    @property
    def deleted(self) -> bool:
        """Whether there is no such branch or tag any more."""
        return not self.after.strip("0")

    @property
    def whole_ref(self) -> str:
        """As git has it: `refs/heads/main`."""
        return f"{TAG_PREFIX if self.tag else BRANCH_PREFIX}{self.name}"

    @property
    def ref(self) -> str:
        """What was pushed, as it is stored and shown: `main`, `tags/v1`."""
        return f"tags/{self.name}" if self.tag else self.name


@dataclass(frozen=True, slots=True)
class Comment:
    """A person wrote a new comment on a pull request, or (`on_issue`) on an issue, which `pull` numbers then.

    `kind`: in the conversation, on a line of the code (`thread` is the first comment of that line then), or
    as the text of a review; the number in `comment` is unique among those of its kind. `outsider`: GitHub
    knows of nothing that ties the author to the repository. `written_at` is by GitHub's clock, in epoch
    seconds; a review names the `commit` that was looked at.
    """

    repository: str
    pull: int
    comment: int
    author: str
    body: str
    public: bool
    on_issue: bool = False
    outsider: bool = False
    number: int | None = None
    owner_number: int | None = None
    kind: Literal["comment", "review_comment", "review"] = "comment"
    thread: int | None = None
    written_at: float | None = None
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """`sender` pressed a `button` of the check run with `external_id`; None: of all checks of the commit.

    `apps`: the number and the client id of the App whose check it is, as far as the payload says them.
    """

    repository: str
    commit: str
    external_id: str | None
    button: str
    sender: str
    public: bool
    apps: frozenset[str] = frozenset()
    number: int | None = None
    owner_number: int | None = None


@dataclass(frozen=True, slots=True)
class RepositoryMoved:
    """The repository that was called `former` was renamed or transferred."""

    repository: str
    number: int
    former: str


@dataclass(frozen=True, slots=True)
class RepositoryChanged:
    """Something else happened to a repository itself: `what` is GitHub's word, such as `archived`."""

    repository: str
    number: int
    what: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for Errand to do, and why: one sentence for the operator."""

    why: str


InRepository = Push | Comment | CheckRequest | Occurrence
"""What is asked by a repository, which is admitted by its number first."""

Event = InRepository | RepositoryMoved | RepositoryChanged | Ignored
