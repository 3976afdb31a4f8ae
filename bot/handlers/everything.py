"""Who may keep everything from starting, and let it start again: admins, and those whom `override` names.

That stops the jobs of everybody, so the right to run one of them, or some, is not enough.
"""

from bot.access.policy import Subject, Verdict
from bot.errors import NotAllowed, RetryLater
from bot.handlers.authorization import ADMINS, Authorization, RequestContext
from bot.handlers.places import TerminalPlace

_NAMED = f"{ADMINS}, override"
"""The settings that name them, which the journal notes of a no."""


async def refusal(authorization: Authorization, context: RequestContext, what: str) -> NotAllowed | None:
    """Why the asker may not do `what` (words that go on after "is for"); None where they may.

    A token needs the scope `admin`; of people those count whom the two settings name, asked anew each time,
    and nobody where both name nobody.
    """
    if context.scoped is not None:
        try:
            await authorization.require_admin(context, what)
        except NotAllowed as refused:
            return refused
        return None
    if not names(authorization) and not isinstance(context.place, TerminalPlace):
        return NotAllowed(
            f"Only those of `pages.admins` and `override` are for {what}, and these name nobody here.", _NAMED
        )
    verdict = await _verdict(authorization, context, what, fresh=True)
    if verdict.allowed:
        context.rules[_NAMED] = verdict.by
        return None
    return NotAllowed(verdict.sentence, verdict.by or _NAMED)


def rule(context: RequestContext) -> str | None:
    """By which entry of the two settings the asker may, for the journal."""
    return context.rules.get(_NAMED)


async def may(authorization: Authorization, context: RequestContext) -> bool:
    """The same to show them that they may; no where that is not known now."""
    if context.scoped is not None:
        return await refusal(authorization, context, "") is None
    if not names(authorization):
        return False
    try:
        return (await _verdict(authorization, context, "", fresh=False)).allowed
    except RetryLater:
        return False


async def _verdict(
    authorization: Authorization, context: RequestContext, what: str, *, fresh: bool
) -> Verdict:
    named = authorization.rule(names(authorization))
    return await authorization.decide(context, named, Subject(what, public=context.public), fresh=fresh)


def names(authorization: Authorization) -> list[str]:
    """Those whom the two settings name, as the file writes them."""
    return list(dict.fromkeys([*authorization.admins, *authorization.overriders]))
