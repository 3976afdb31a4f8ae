"""Comments in the conversation of a pull request, on lines of its code, and the texts of its reviews.

https://docs.github.com/webhooks/webhook-events-and-payloads#issue_comment, `#pull_request_review_comment` and
`#pull_request_review` there
"""

from typing import Any

from pydantic import BaseModel

from bot.events.facts import Comment, Ignored
from bot.events.payloads import OUTSIDERS, Repository, User, moment_of, number_of


class _Issue(BaseModel):
    number: int
    pull_request: dict[str, object] | None = None


class _Pull(BaseModel):
    number: int


class _Text(BaseModel):
    id: int
    body: str | None = None
    user: User | None = None
    performed_via_github_app: dict[str, object] | None = None
    author_association: object = ""
    in_reply_to_id: object = None
    created_at: object = None
    submitted_at: object = None  # of reviews
    commit_id: object = None


class _IssueComment(BaseModel):
    action: str
    issue: _Issue
    comment: _Text
    repository: Repository


class _ReviewComment(BaseModel):
    action: str
    pull_request: _Pull
    comment: _Text
    repository: Repository


class _Review(BaseModel):
    action: str
    pull_request: _Pull
    review: _Text
    repository: Repository


def read(payload: object) -> Comment | Ignored:
    """A comment in the conversation of a pull request or an issue."""
    event = _IssueComment.model_validate(payload)
    if event.action != "created":
        return Ignored(f"a comment was {event.action[:40]}; only new ones count")
    on_issue = event.issue.pull_request is None
    return _comment(event.repository, event.issue.number, event.comment, on_issue=on_issue)


def read_on_line(payload: object) -> Comment | Ignored:
    """A comment on a line of the code."""
    event = _ReviewComment.model_validate(payload)
    if event.action != "created":
        return Ignored(f"a comment on a line was {event.action[:40]}; only new ones count")
    thread = number_of(event.comment.in_reply_to_id) or event.comment.id
    return _comment(
        event.repository, event.pull_request.number, event.comment, kind="review_comment", thread=thread
    )


def read_review(payload: object) -> Comment | Ignored:
    """The text of a review; its comments on lines come by themselves."""
    event = _Review.model_validate(payload)
    if event.action != "submitted":
        return Ignored(f"a review was {event.action[:40]}; only new ones count")
    return _comment(event.repository, event.pull_request.number, event.review, kind="review")


def _comment(repository: Repository, pull: int, text: _Text, **where: Any) -> Comment | Ignored:
    author = text.user
    if author is None or author.type != "User" or text.performed_via_github_app:
        return Ignored("a comment that no person wrote")
    return Comment(
        repository=repository.full_name,
        pull=pull,
        comment=text.id,
        author=author.login,
        body=text.body or "",
        public=not repository.private,
        outsider=text.author_association in OUTSIDERS,
        number=number_of(repository.id),
        owner_number=repository.owner_number,
        written_at=moment_of(text.created_at) or moment_of(text.submitted_at),
        commit=text.commit_id if isinstance(text.commit_id, str) and text.commit_id else None,
        **where,
    )
