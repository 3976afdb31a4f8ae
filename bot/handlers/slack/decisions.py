"""What Home lets its reader decide: of the runs that wait and the freezes that are on, those that are theirs.

It only shows; whoever presses a button is asked again, as by the command.
"""

from collections.abc import Sequence
from dataclasses import replace

from bot.access import people
from bot.handlers import everything
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

        That is whoever began one and whom `override` names, where that names nobody each of its readers; of
        everything those of `bot.handlers.everything`.
        """
        others = [line for line in lines if line.thaw is not None and not _is_theirs(context, line)]
        authorization = self._authorization
        all_of = any(_is_wide(line) for line in others) and await everything.may(authorization, context)
        some = not all(_is_wide(line) for line in others) and (
            not authorization.overriders or await may_override(authorization, context)
        )

        def may(line: FreezeLine) -> bool:
            return _is_theirs(context, line) or (all_of if _is_wide(line) else some)

        return [line if may(line) else replace(line, thaw=None) for line in lines]


def _is_wide(line: FreezeLine) -> bool:
    return not line.thaw or "*" in line.thaw


def _is_theirs(context: RequestContext, line: FreezeLine) -> bool:
    return line.by is not None and people.is_same(line.by, context.actor)
