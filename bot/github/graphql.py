"""What only GitHub's GraphQL API can do: folding a comment away, who has which address, and all teams of one.

https://docs.github.com/graphql/reference/mutations#minimizecomment
https://docs.github.com/graphql/reference/objects#user (`organizationVerifiedDomainEmails`)
https://docs.github.com/graphql/reference/objects#organization (`teams`)
"""

from typing import Any

from bot.errors import Refused, RetryLater
from bot.github.answers import field, text
from bot.github.transport import GRAPHQL, Answer, Call

MINIMIZE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    " { minimizedComment { isMinimized } } }"
)
MEMBERS = (
    "query($login: String!, $after: String) { organization(login: $login)"
    " { membersWithRole(first: 100, after: $after) { nodes { login organizationVerifiedDomainEmails(login:"
    " $login) } pageInfo { hasNextPage endCursor } } } }"
)
TEAMS = (
    "query($login: String!, $user: String!, $after: String) { organization(login: $login)"
    " { teams(first: 100, after: $after, userLogins: [$user]) { nodes { slug ancestors(first: 100)"
    " { nodes { slug } } } pageInfo { hasNextPage endCursor } } } }"
)


def teams(organization: str, login: str, after: str | None) -> Call:
    """Up to a hundred teams that somebody is in, with those above them."""
    variables = {"login": organization, "user": login, "after": after}
    return Call("POST", GRAPHQL, body={"query": TEAMS, "variables": variables})


def minimizing(node: str) -> Call:
    """That the comment with this id is outdated."""
    return Call("POST", GRAPHQL, body={"query": MINIMIZE, "variables": {"id": node}})


def members(organization: str, after: str | None) -> Call:
    """Up to a hundred members with their verified addresses, from where the last answer ended."""
    return Call(
        "POST", GRAPHQL, body={"query": MEMBERS, "variables": {"login": organization, "after": after}}
    )


def require_done(answer: Answer) -> None:
    """Raise where a comment was not folded away."""
    data_of(answer, "minimizeComment")


def data_of(answer: Answer, *path: str) -> Any:
    """What stands at `path` below `data`; raises where GraphQL refuses a part, which it does with a 200."""
    errors = field(answer.data, "errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    found = field(answer.data, "data", *path)
    if first is None and found is not None:
        return found
    kind, message = text(first, "type") or "", text(first, "message") or "no answer"
    sentence = f"POST {GRAPHQL}: GitHub answered {kind or 'with an error'} ({message[:200]})"
    if kind in ("RATE_LIMITED", "INTERNAL"):
        raise RetryLater(sentence)
    raise Refused(sentence, status=404 if kind == "NOT_FOUND" else 403)
