"""What Home lets its reader decide: of the runs that wait and the freezes that are on, those that are theirs.

It only shows; whoever presses a button is asked again, as by the command.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.access import people
from bot.handlers.approval_inbox import ApprovalInbox
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.overrides import may_override
from bot.messages.slack import homes
from bot.messages.slack.overviews import FreezeLine
from bot.tables import Run


class HomeDecisions:
    """Asks for one person at a time."""

    def __init__(self, inbox: ApprovalInbox, authorization: Authorization) -> None:
        self._inbox = inbox
        self._authorization = authorization

    async def answers(self, context: RequestContext) -> list[Run]:
        """Runs to which they can say yes."""
        return await self._inbox.of(context, homes.ANSWERS)

    async def freezes(self, context: RequestContext, lines: Sequence[FreezeLine]) -> list[FreezeLine]:
        """The same freezes, of which those can be thawed that they may thaw.

        That is whoever began one and whom `override` names, where that names nobody each of its readers.
        """
        others = any(line.thaw is not None and not _is_theirs(context, line) for line in lines)
        everybody = not self._authorization.overriders
        may = others and (everybody or await may_override(self._authorization, context))
        return [line if may or _is_theirs(context, line) else replace(line, thaw=None) for line in lines]


def _is_theirs(context: RequestContext, line: FreezeLine) -> bool:
    return line.by is not None and people.is_same(line.by, context.actor)
