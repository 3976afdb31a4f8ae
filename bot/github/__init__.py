"""The one door to GitHub's REST API.

What it does: asks GitHub, tells GitHub, and says whether a failed call may be tried again
(`RetryLater`) or not (`Refused`). What it may not do: decide anything, retry a write, keep a token
longer than it lives, or let one out in an error. It asks only `bot.errors` and `executor.spec`.
"""

from bot.github.answers import PullRequest, Repository
from bot.github.client import GitHub

__all__ = ["GitHub", "PullRequest", "Repository"]
