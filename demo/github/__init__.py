"""A stand-in for GitHub's REST API, as strict as GitHub about who may do what and with which fields.

Shapes, limits and errors follow https://docs.github.com/rest; what Errand does not use is not there.
"""

from demo.github.published import Sent
from demo.github.server import GitHubStandIn
from demo.github.state import Check, Comment, Pull, Reaction, Repository, Status

__all__ = ["Check", "Comment", "GitHubStandIn", "Pull", "Reaction", "Repository", "Sent", "Status"]
