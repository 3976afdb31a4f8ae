"""The one door to GitHub's REST API.

What it does: asks GitHub, tells GitHub, and says whether a failed call may be tried again
(`RetryLater`) or not (`Refused`). What it may not do: decide anything, retry a write, keep a token
longer than it lives, or let one out in an error. It asks only `bot.errors`, `bot.text.refs`,
`bot.access.workflows` and `executor.spec`.
"""

from bot.github.answers import KnownRepository, PostedComment, PullRequest, Repository
from bot.github.client import GitHub, Lookup
from bot.github.commits import NamedCommit
from bot.github.devices import DeviceCode, Pending
from bot.github.files import FileAt, Files, Unusable
from bot.github.issuer import Keys
from bot.github.logins import AppClient, Logins
from bot.github.oidc import Oidc, Untrusted, is_signed
from bot.github.recorded import RecordedDeliveries, RecordedDelivery

__all__ = [
    "AppClient",
    "DeviceCode",
    "FileAt",
    "Files",
    "GitHub",
    "Keys",
    "KnownRepository",
    "Logins",
    "Lookup",
    "NamedCommit",
    "Oidc",
    "Pending",
    "PostedComment",
    "PullRequest",
    "RecordedDeliveries",
    "RecordedDelivery",
    "Repository",
    "Untrusted",
    "Unusable",
    "is_signed",
]
