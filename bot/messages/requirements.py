"""What a job requires of a pull request, in Markdown: with a tick or a cross, its code and a sentence."""

from collections.abc import Sequence

from bot.catalog.requirements import Verdict
from bot.messages.text import code


def requirement_line(verdict: Verdict) -> str:
    """One requirement."""
    return f"{'✅' if verdict.met else '❌'} {code(verdict.code)}: {verdict.sentence}"


def not_met(job: str, missing: Sequence[Verdict]) -> str:
    """Why nothing was started."""
    head = f"{code(job)} was not started: what it requires does not hold."
    return "\n".join([head, *(f"- {requirement_line(verdict)}" for verdict in missing)])


def head_moved(line: str, head: str, commits: Sequence[tuple[str, str, str]], count: int) -> str:
    """Why nothing was started: the pull request has other commits than when it was asked for.

    `commits` are the newest that came in (short SHA, first line, author), of `count`; none where they are not
    known. `line` asks again for the commit `head`.
    """
    came = "" if not count else f" {count} came in between:" if count > 1 else " One came in between:"
    lines = [f"- {code(sha)} {code(title, 100)} by {code(author, 40)}" for sha, title, author in commits]
    if count > len(lines) > 0:
        lines.insert(0, f"- … {count - len(lines)} older ones")
    head_line = f"This pull request has got other commits since that was written; nothing was started.{came}"
    return "\n".join([head_line, *lines, "", f"To run {code(head[:12])}: {code(line, 500)}"])
