"""What only GitHub's GraphQL API can do: folding a comment away.

https://docs.github.com/graphql/reference/mutations#minimizecomment
"""

from bot.errors import Refused, RetryLater
from bot.github.answers import field, text
from bot.github.transport import GRAPHQL, Answer, Call

MINIMIZE = (
    "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED})"
    " { minimizedComment { isMinimized } } }"
)


def minimizing(node: str) -> Call:
    """That the comment with this id is outdated."""
    return Call("POST", GRAPHQL, body={"query": MINIMIZE, "variables": {"id": node}})


def require_done(answer: Answer) -> None:
    """Raise where GraphQL says no, which it does with a 200."""
    errors = field(answer.data, "errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    if first is None and field(answer.data, "data", "minimizeComment") is not None:
        return
    kind, message = text(first, "type") or "", text(first, "message") or "no answer"
    said = f"POST {GRAPHQL}: GitHub answered {kind or 'with an error'} ({message[:200]})"
    if kind in ("RATE_LIMITED", "INTERNAL"):
        raise RetryLater(said)
    raise Refused(said, status=404 if kind == "NOT_FOUND" else 403)
