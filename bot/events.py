"""What happened: the facts in a stored delivery, read leniently and only as far as Errand needs them.

Payload shapes: https://docs.github.com/en/webhooks/webhook-events-and-payloads and
https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from pydantic import BaseModel, Field, ValidationError

from bot.tables import Delivery
from bot.text import refs

MAX_FIELDS = 100
"""Form fields read of one delivery; GitHub sends one and Slack about fifteen."""

BRANCH_PREFIX = "refs/heads/"
TAG_PREFIX = "refs/tags/"

LISTED_COMMITS = 2048
"""Commits that GitHub lists of one push; where there are as many, there may be more.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""
LISTED_PATHS = 3000
"""Changed paths that GitHub lists of one commit; where there are as many, there may be more (same page)."""

_OUTSIDERS = ("NONE", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN")
"""What GitHub calls people who are neither members nor collaborators and had nothing merged so far.

https://docs.github.com/en/graphql/reference/enums#commentauthorassociation
"""

_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)


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

    `outsider`: GitHub knows of nothing that ties the author to the repository.
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


@dataclass(frozen=True, slots=True)
class RepositoryMoved:
    """The repository that was called `former` was renamed or transferred."""

    repository: str
    number: int
    former: str


@dataclass(frozen=True, slots=True)
class SlackCommand:
    """A person typed a slash command; `text` is what followed its first word."""

    trigger: str
    user: str
    channel: str
    channel_name: str
    text: str
    response_url: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for Errand to do, and why: one sentence for the operator."""

    why: str


Event = Push | Comment | RepositoryMoved | SlackCommand | Ignored


class _Repository(BaseModel):
    full_name: str
    private: bool = True
    default_branch: str = ""
    id: object = None
    owner: object = None
    pushed_at: object = None

    @property
    def owner_number(self) -> int | None:
        """The number of the account that has it."""
        return _number(self.owner.get("id")) if isinstance(self.owner, dict) else None


class _User(BaseModel):
    login: str
    type: str = "User"


class _Push(BaseModel):
    ref: str
    after: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    before: object = ""
    deleted: bool = False
    created: object = False
    forced: object = False
    commits: object = None
    head_commit: object = None
    repository: _Repository
    sender: _User | None = None
    pusher: object = None

    @property
    def person(self) -> str:
        """Who pushed. GitHub's description of the payload requires `pusher`, and `sender` not."""
        if self.sender is not None:
            return self.sender.login
        name = self.pusher.get("name") if isinstance(self.pusher, dict) else None
        return name[:100] if isinstance(name, str) and name else "somebody"


class _Issue(BaseModel):
    number: int
    pull_request: dict[str, object] | None = None


class _CommentBody(BaseModel):
    id: int
    body: str | None = None
    user: _User | None = None
    performed_via_github_app: dict[str, object] | None = None
    author_association: object = ""


class _IssueComment(BaseModel):
    action: str
    issue: _Issue
    comment: _CommentBody
    repository: _Repository


class _RepositoryEvent(BaseModel):
    action: str
    repository: _Repository
    changes: dict[str, object] = Field(default_factory=dict)

    @property
    def former(self) -> str | None:
        """Its name before, None where that stayed.

        https://docs.github.com/en/webhooks/webhook-events-and-payloads#repository
        """
        owner, _, name = self.repository.full_name.partition("/")
        if self.action == "renamed":
            old = _at(self.changes, "repository", "name", "from")
            return f"{owner}/{old}" if old else None
        if self.action == "transferred":
            account = _at(self.changes, "owner", "from", "organization", "login")
            old = account or _at(self.changes, "owner", "from", "user", "login")
            return f"{old}/{name}" if old else None
        return None


def _at(value: object, *path: str) -> str | None:
    """The text at `path` in nested objects."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def read(delivery: Delivery) -> Event:
    """The fact in `delivery`; a payload that cannot be read is ignored with the reason, never an error."""
    try:
        if delivery.source == "slack":
            return _slack(delivery)
        reader = {"push": _push, "issue_comment": _comment, "repository": _moved}.get(delivery.event)
        if reader is None:
            return Ignored(f"nothing here listens to {delivery.event}")
        return reader(_github_payload(delivery))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        return Ignored(f"the payload lacks what is needed, first: {where}")
    except (ValueError, RecursionError) as error:
        return Ignored(f"the payload cannot be read: {type(error).__name__}")


def _form(body: bytes) -> dict[str, str]:
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    return {name: values[0] for name, values in fields.items()}


def _github_payload(delivery: Delivery) -> object:
    if delivery.media_type == "application/x-www-form-urlencoded":
        return json.loads(_form(delivery.body).get("payload", ""))
    return json.loads(delivery.body)


def _push(payload: object) -> Event:
    push = _Push.model_validate(payload)
    tag = push.ref.startswith(TAG_PREFIX)
    if not tag and not push.ref.startswith(BRANCH_PREFIX):
        return Ignored(f"a push of {push.ref[:200]}, which is neither a branch nor a tag")
    name = push.ref.removeprefix(TAG_PREFIX if tag else BRANCH_PREFIX)
    if not refs.is_name(name):
        return Ignored(f"a push of {push.ref[:200]}, which git would not take as a name")
    changed, unclear = (None, "a tag") if tag else _changed(push)
    return Push(
        repository=push.repository.full_name,
        name=name,
        default_branch=push.repository.default_branch,
        commit=_tagged(push) if tag else push.after,
        sender=push.person,
        public=not push.repository.private,
        tag=tag,
        changed=changed,
        unclear=unclear,
        before=before if isinstance(before := push.before, str) and _SHA.fullmatch(before) else "",
        after="0" * 40 if push.deleted else push.after,
        pushed_at=_number(push.repository.pushed_at),
        number=_number(push.repository.id),
        owner_number=push.repository.owner_number,
    )


def _number(value: object) -> int | None:
    """A whole number that is more than nothing and fits where it is stored."""
    return value if isinstance(value, int) and 0 < value < 1 << 62 else None


def _tagged(push: _Push) -> str:
    """The commit of a tag: where the tag is an object of its own, `after` is that object and no commit."""
    head = push.head_commit.get("id") if isinstance(push.head_commit, dict) else None
    return head if isinstance(head, str) and _SHA.fullmatch(head) else push.after


def _changed(push: _Push) -> tuple[frozenset[str] | None, str]:
    """The paths that a push to a branch changed, or None and why they cannot be known."""
    if push.forced is True:
        return None, "a forced push"
    if push.created is True or not str(push.before).strip("0"):
        return None, "a new branch"
    if not isinstance(push.commits, list) or not push.commits:
        return None, "no commits are listed"
    newest = push.commits[-1]
    whole = isinstance(newest, dict) and newest.get("id") == push.after
    if len(push.commits) >= LISTED_COMMITS or not whole:
        return None, "more commits than are listed"
    paths: set[str] = set()
    for commit in push.commits:
        for kind in ("added", "removed", "modified"):
            listed = commit.get(kind) if isinstance(commit, dict) else None
            if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
                return None, "a commit without its list of paths"
            paths.update(listed)
        if len(paths) >= LISTED_PATHS:
            return None, f"{LISTED_PATHS} paths or more"
    return frozenset(paths), ""


def _comment(payload: object) -> Event:
    event = _IssueComment.model_validate(payload)
    if event.action != "created":
        return Ignored(f"a comment was {event.action[:40]}; only new ones count")
    author = event.comment.user
    if author is None or author.type != "User" or event.comment.performed_via_github_app:
        return Ignored("a comment that no person wrote")
    return Comment(
        repository=event.repository.full_name,
        pull=event.issue.number,
        comment=event.comment.id,
        author=author.login,
        body=event.comment.body or "",
        public=not event.repository.private,
        on_issue=event.issue.pull_request is None,
        outsider=event.comment.author_association in _OUTSIDERS,
        number=_number(event.repository.id),
        owner_number=event.repository.owner_number,
    )


def _moved(payload: object) -> Event:
    event = _RepositoryEvent.model_validate(payload)
    number, former = _number(event.repository.id), event.former
    if former is None or number is None:
        return Ignored(f"a repository was {event.action[:40]}, and not renamed or transferred")
    return RepositoryMoved(event.repository.full_name, number, former)


def _slack(delivery: Delivery) -> Event:
    if delivery.event != "command":
        return Ignored(f"nothing here listens to Slack's {delivery.event}")
    form = _form(delivery.body)
    missing = [name for name in ("trigger_id", "user_id", "channel_id") if not form.get(name)]
    if missing:
        return Ignored(f"the payload lacks what is needed, first: {missing[0]}")
    return SlackCommand(
        trigger=form["trigger_id"],
        user=form["user_id"],
        channel=form["channel_id"],
        channel_name=form.get("channel_name", ""),
        text=form.get("text", ""),
        response_url=form.get("response_url", ""),
    )
