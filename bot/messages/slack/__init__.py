"""What Slack shows: messages, forms and the Home, made of blocks.

What it does: words and blocks, pure, with the time as an argument. `elements` makes every block and every
element, and is the one place where text is escaped and cut to what Slack takes. What it may not do: send, or
decide what is offered to whom.
"""

from bot.messages.slack.actions import Action, Form, Shortcut
from bot.messages.slack.cards import below, blocks
from bot.messages.slack.elements import PICTURES, Block
from bot.messages.slack.pictures import Illustrated, durations, job_table

__all__ = [
    "PICTURES",
    "Action",
    "Block",
    "Form",
    "Illustrated",
    "Shortcut",
    "below",
    "blocks",
    "durations",
    "job_table",
]
