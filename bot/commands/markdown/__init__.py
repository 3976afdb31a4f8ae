"""What somebody typed: the commands in a comment on GitHub, and the plain text of a line in Slack.

What it does: finds the lines of a comment that a reader sees as ordinary text and that begin as commands do.
What it may not do: decide what a command means, or take more than a bounded time for any comment. It asks
only `bot.errors` and `bot.text.wording`.
"""

from bot.commands.markdown.comments import (
    MASK,
    Line,
    commands_in,
    is_short_command,
    jobs_named,
    may_hold_command,
    read,
)
from bot.commands.markdown.parser import TooCostly
from bot.commands.markdown.slack import addressed, plain

__all__ = [
    "MASK",
    "Line",
    "TooCostly",
    "addressed",
    "commands_in",
    "is_short_command",
    "jobs_named",
    "may_hold_command",
    "plain",
    "read",
]
