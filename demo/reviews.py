"""What GitHub tells of reviews: their texts, and comments on lines of the code; pure.

https://docs.github.com/webhooks/webhook-events-and-payloads#pull_request_review and
`#pull_request_review_comment` there
"""

from demo.entities import Json, installation, iso, organization, reactions, repository, user
from demo.payloads import pull

HEAD = "c" * 40


def _around(action: str, name: str, number: int, author: str, private: bool, id: int | None) -> Json:
    return {
        "action": action,
        "pull_request": pull(name, number, HEAD, "topic", closed=False, private=private),
        "repository": repository(name, private=private, number=id),
        "organization": organization(name.partition("/")[0]),
        "sender": user(author),
        "installation": installation(),
    }


def review_comment(
    name: str,
    issue: int,
    comment: int,
    author: str,
    body: str,
    *,
    action: str = "created",
    in_reply_to: int | None = None,
    private: bool = False,
    association: str = "MEMBER",
    number: int | None = None,
    commit: str = HEAD,
) -> Json:
    """A comment on a line of the code of a pull request, perhaps below another one."""
    api = f"https://api.github.com/repos/{name}/pulls"
    page = f"https://github.com/{name}/pull/{issue}"
    made: Json = {
        "url": f"{api}/comments/{comment}",
        "pull_request_review_id": comment + 1,
        "id": comment,
        "node_id": f"PRRC_{comment}",
        "diff_hunk": "@@ -1 +1 @@\n-# Shop",
        "path": "README.md",
        "position": 1,
        "original_position": 1,
        "line": 1,
        "original_line": 1,
        "start_line": None,
        "original_start_line": None,
        "side": "RIGHT",
        "start_side": None,
        "subject_type": "line",
        "commit_id": commit,
        "original_commit_id": commit,
        "user": user(author),
        "body": body,
        "created_at": iso(0),
        "updated_at": iso(0),
        "html_url": f"{page}#discussion_r{comment}",
        "pull_request_url": f"{api}/{issue}",
        "author_association": association,
        "_links": {
            "self": {"href": f"{api}/comments/{comment}"},
            "html": {"href": f"{page}#discussion_r{comment}"},
            "pull_request": {"href": f"{api}/{issue}"},
        },
        "reactions": reactions(f"{api}/comments/{comment}/reactions"),
    }
    if in_reply_to is not None:
        made["in_reply_to_id"] = in_reply_to
    return {**_around(action, name, issue, author, private, number), "comment": made}


def review(
    name: str,
    issue: int,
    review: int,
    author: str,
    body: str | None,
    *,
    action: str = "submitted",
    private: bool = False,
    association: str = "MEMBER",
    number: int | None = None,
    commit: str = HEAD,
) -> Json:
    """A review of a pull request; its comments on lines are told by themselves."""
    page = f"https://github.com/{name}/pull/{issue}#pullrequestreview-{review}"
    pull_url = f"https://api.github.com/repos/{name}/pulls/{issue}"
    made: Json = {
        "id": review,
        "node_id": f"PRR_{review}",
        "user": user(author),
        "body": body,
        "commit_id": commit,
        "submitted_at": iso(0),
        "state": "commented",
        "html_url": page,
        "pull_request_url": pull_url,
        "author_association": association,
        "_links": {"html": {"href": page}, "pull_request": {"href": pull_url}},
    }
    return {**_around(action, name, issue, author, private, number), "review": made}
