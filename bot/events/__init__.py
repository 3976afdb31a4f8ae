"""What happened: the facts in a stored delivery, read leniently and only as far as Errand needs them.

What Slack sends is read by `slack`. Payload shapes:
https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from bot.events.facts import (
    CheckRequest,
    Comment,
    Event,
    Ignored,
    InRepository,
    Push,
    RepositoryChanged,
    RepositoryMoved,
)
from bot.events.occurrences import Occurrence
from bot.events.pushes import of_tag
from bot.events.reading import is_read, read

__all__ = [
    "CheckRequest",
    "Comment",
    "Event",
    "Ignored",
    "InRepository",
    "Occurrence",
    "Push",
    "RepositoryChanged",
    "RepositoryMoved",
    "is_read",
    "of_tag",
    "read",
]
