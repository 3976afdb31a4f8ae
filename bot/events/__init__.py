"""What happened: the facts in a stored delivery, read leniently and only as far as Errand needs them.

Payload shapes: https://docs.github.com/en/webhooks/webhook-events-and-payloads and
https://docs.slack.dev/interactivity/implementing-slash-commands.
"""

from bot.events.facts import (
    CheckRequest,
    Comment,
    Event,
    Ignored,
    InRepository,
    Push,
    RepositoryMoved,
    SlackCommand,
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
    "RepositoryMoved",
    "SlackCommand",
    "is_read",
    "of_tag",
    "read",
]
