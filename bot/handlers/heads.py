"""Whether a pull request still has the commit that it had when somebody asked for its code.

A comment names no commit, and whoever may push to the branch could put another one there before it is read.
GitHub's own time of the push decides, which no author of a commit can choose; a push in the same second
counts as later.
"""

import shlex

from bot import messages
from bot.commands.reader import split
from bot.errors import HeadMoved
from bot.github import PullRequest
from bot.handlers.authorization import RequestContext
from bot.handlers.places import GitHubPlace
from bot.repositories import CodeHost


def with_ref(line: str, ref: str) -> str:
    """The command, with `--ref` before what is for the job itself.

    A rerun has none, so a run in its place.
    """
    words = split(line)
    if "rerun" in words[1:2]:
        return f"{words[0]} run NAME --ref {shlex.quote(ref)}"
    end = words.index("--") if "--" in words else len(words)
    return f"{shlex.join(words[:end])} --ref {shlex.quote(ref)} {shlex.join(words[end:])}".rstrip()


class HeadGuard:
    """Asks GitHub when the branch was pushed to."""

    def __init__(self, host: CodeHost) -> None:
        self._host = host

    async def require_unmoved(self, context: RequestContext, pull: PullRequest) -> None:
        """Raise `HeadMoved` unless the head is the one that was there when it was asked for."""
        place = context.place
        if not isinstance(place, GitHubPlace):
            return
        if place.commit is not None:  # a review names the commit that was looked at
            before = None if place.commit == pull.head_sha else place.commit
        elif place.written_at is not None:
            before = await self._head_before(pull, place.repository, place.written_at)
        else:
            return
        if before is None:
            return
        facts = self._host.required.facts
        between = await facts.between(place.repository, before, pull.head_sha) if before else None
        commits, count = ((), 0) if between is None else (between.commits, between.count)
        line = with_ref(context.line, pull.head_sha)
        raise HeadMoved(messages.head_moved(line, pull.head_sha, commits, count))

    async def _head_before(self, pull: PullRequest, repository: str, written_at: float) -> str | None:
        """What the head was at that time, if it was another one; empty where that is not known."""
        moves = await self._host.required.facts.moves(pull.head_repository or repository, pull.head_ref)
        if not moves or moves[0].after != pull.head_sha:
            # GitHub tells nothing of a fork, or not (yet) of the last push: then nothing at all may have
            # changed.
            unchanged = pull.updated_at is not None and pull.updated_at <= written_at
            return None if unchanged else ""
        later = [move for move in moves if move.at >= written_at]
        return later[-1].before if later else None


def closed(context: RequestContext, pull: PullRequest) -> str:
    """Why a command that would take the code of a pull request which is over starts nothing (Markdown)."""
    line = messages.code(with_ref(context.line, pull.base_ref), 500)
    state = "merged" if pull.merged else "closed"
    return (
        f"This pull request is {state}, so its branch is not taken any more, and nothing was started."
        f" Name what is to be taken instead: {line}"
    )
