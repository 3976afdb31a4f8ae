"""Pushes of branches and of tags."""

import json

from pydantic import BaseModel, Field, ValidationError

from bot.events.facts import BRANCH_PREFIX, TAG_PREFIX, Ignored, Push
from bot.events.occurrences import Occurrence
from bot.events.payloads import SHA, Repository, User, number_of
from bot.text import refs
from bot.text.skipping import skip_mark

LISTED_COMMITS = 2048
"""Commits that GitHub lists of one push; where there are as many, there may be more.

https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
"""
LISTED_PATHS = 3000
"""Changed paths that GitHub lists of one commit; where there are as many, there may be more (same page)."""
LARGE = 4 * 1024 * 1024
"""Bytes of a payload up to which its commits are looked through; GitHub sends up to 25 MB.

Reading all of that would hold everything else up for a quarter of a second.
"""
_UNREAD = "unread"


class _Large(BaseModel):
    """A payload of which the rest is passed over."""

    ref: object = None
    after: object = None
    before: object = None
    deleted: object = None
    created: object = None
    forced: object = None
    head_commit: object = None
    repository: object = None
    sender: object = None
    pusher: object = None


class _Push(BaseModel):
    ref: str
    after: str = Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")
    before: object = ""
    deleted: bool = False
    created: object = False
    forced: object = False
    commits: object = None
    head_commit: object = None
    repository: Repository
    sender: User | None = None
    pusher: object = None

    @property
    def person(self) -> str:
        """Who pushed. GitHub's description of the payload requires `pusher`, and `sender` not."""
        if self.sender is not None:
            return self.sender.login
        name = self.pusher.get("name") if isinstance(self.pusher, dict) else None
        return name[:100] if isinstance(name, str) and name else "somebody"


def payload_of(body: bytes) -> object:
    """The payload, a large one without its commits."""
    if len(body) > LARGE:
        try:
            large = _Large.model_validate_json(body)
            return {name: getattr(large, name) for name in large.model_fields_set} | {"commits": _UNREAD}
        except ValidationError:  # also what only the other reader takes, as half a character
            pass
    return json.loads(body)


def read(payload: object) -> Push | Ignored:
    """A push."""
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
        before=before if isinstance(before := push.before, str) and SHA.fullmatch(before) else "",
        after="0" * 40 if push.deleted else push.after,
        skip=skip_mark(push.head_commit.get("message")) if isinstance(push.head_commit, dict) else "",
        pushed_at=number_of(push.repository.pushed_at),
        number=number_of(push.repository.id),
        owner_number=push.repository.owner_number,
    )


def of_tag(push: Push) -> Occurrence:
    """The push of a tag as what jobs can name in `on`."""
    return Occurrence(
        event="push",
        repository=push.repository,
        public=push.public,
        default_branch=push.default_branch,
        key=f"tag:{push.name}:{push.before}:{push.after}:{push.pushed_at or ''}",
        subject=f"tag {push.name}",
        sender=push.sender,
        commit=push.commit,
        ref=push.ref,
        own=True,
        skip=push.skip,
        number=push.number,
        owner_number=push.owner_number,
    )


def _tagged(push: _Push) -> str:
    """The commit of a tag: where the tag is an object of its own, `after` is that object and no commit."""
    head = push.head_commit.get("id") if isinstance(push.head_commit, dict) else None
    return head if isinstance(head, str) and SHA.fullmatch(head) else push.after


def _changed(push: _Push) -> tuple[frozenset[str] | None, str]:
    """The paths that a push to a branch changed, or None and why they cannot be known."""
    if push.forced is True:
        return None, "a forced push"
    if push.created is True or not str(push.before).strip("0"):
        return None, "a new branch"
    if push.commits == _UNREAD:
        return None, f"more than {LARGE // 1024 // 1024} MiB"
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
