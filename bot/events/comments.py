"""Comments."""

from pydantic import BaseModel

from bot.events.facts import Comment, Ignored
from bot.events.payloads import OUTSIDERS, Repository, User, number_of


class _Issue(BaseModel):
    number: int
    pull_request: dict[str, object] | None = None


class _CommentBody(BaseModel):
    id: int
    body: str | None = None
    user: User | None = None
    performed_via_github_app: dict[str, object] | None = None
    author_association: object = ""


class _IssueComment(BaseModel):
    action: str
    issue: _Issue
    comment: _CommentBody
    repository: Repository


def read(payload: object) -> Comment | Ignored:
    """A comment in the conversation of a pull request or an issue."""
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
        outsider=event.comment.author_association in OUTSIDERS,
        number=number_of(event.repository.id),
        owner_number=event.repository.owner_number,
    )
