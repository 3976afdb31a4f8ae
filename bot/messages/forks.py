"""What is said of code of forks (Markdown)."""

from bot.text.wording import quoted


def fork_of_process() -> str:
    """Why forks wait for another engine."""
    return "This is the code of a fork, and that is never run as a plain process: it takes containers."


def fork_unapproved(commit: str, command: str) -> str:
    """To who asks for code that nobody has looked at."""
    return (
        f"{quoted(commit[:12])} is the code of a fork. It is built and run once somebody who may write here"
        f" has looked at it and says {quoted(f'{command} approve {commit}')} on its pull request."
    )


def fork_moved(pull: int, head: str, command: str) -> str:
    """To who asks for what was looked at, and is not the head any more."""
    return (
        f"Pull request #{pull} has got other commits since that was looked at, or is closed. Its head"
        f" {quoted(head[:12])} needs a {quoted(f'{command} approve {head}')} of its own."
    )


def fork_elsewhere(sha: str) -> str:
    """To who says it where no pull request is."""
    return f"{quoted(sha)}: a commit is approved on its pull request."


def fork_of_none(pull: int) -> str:
    """To who says it of the repository's own code."""
    return f"The code of pull request #{pull} is the repository's own and needs no such yes."


def fork_closed(pull: int) -> str:
    """To who says it of what is over."""
    return f"Pull request #{pull} is closed, so its code is not run."


def fork_other_head(sha: str, head: str, command: str) -> str:
    """To who says it of a commit that is not, or not any more, the head."""
    return (
        f"{quoted(sha)} is not the head of this pull request: that is {quoted(head)}, and nothing was"
        f" approved. Look at it, then say {quoted(f'{command} approve {head}')}."
    )


def fork_approved(commit: str, pull: int) -> str:
    """The answer to who says it."""
    return (
        f"{quoted(commit[:12])} of pull request #{pull} may be built and run here, without secrets, until the"
        " pull request gets other commits."
    )
