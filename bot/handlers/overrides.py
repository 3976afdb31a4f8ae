"""Who starts something in spite of a freeze: said explicitly, allowed by a rule of its own, and recorded."""

from bot.access.policy import Subject
from bot.catalog.freezes import REASON_CHARACTERS
from bot.errors import NotAllowed, RetryLater, Unfit
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.journal import entry
from bot.messages import freezes as words
from bot.states import EntryKind
from bot.store import Session, journal
from bot.tables import Run

_RULE = "override:"
"""Where the entry that let somebody override is kept among a request's rules; no job is called so."""

REASON = f"Why, is said in one line of at most {REASON_CHARACTERS} characters."
"""What is wrong with what is no reason."""


def is_reason(why: str) -> bool:
    """Whether `why` can be told as the reason to override a freeze."""
    return 0 < len(why) <= REASON_CHARACTERS and why.isprintable()


async def may_override(authorization: Authorization, context: RequestContext) -> bool:
    """Whether `override` names who asks, to show them that they may; no where that is not known now."""
    names = authorization.overriders
    if not names:
        return False
    try:
        verdict = await authorization.decide(context, authorization.rule(names), _subject(context))
    except RetryLater:
        return False
    return verdict.allowed


async def require_override(authorization: Authorization, context: RequestContext, why: str) -> str:
    """`why` in spite of a freeze, if who asks is named by `override`, asked anew; else `AskerError`."""
    why = why.strip()
    if not is_reason(why):
        raise Unfit(REASON, [(("override",), REASON)])
    names = authorization.overriders
    if not names:
        raise NotAllowed(
            "Nobody starts anything here in spite of a freeze: `override` names nobody.", "override"
        )
    verdict = await authorization.decide(context, authorization.rule(names), _subject(context), fresh=True)
    if not verdict.allowed:
        raise NotAllowed(verdict.sentence, verdict.by or "override")
    context.rules[_RULE] = verdict.by
    return why


def _subject(context: RequestContext) -> Subject:
    return Subject("starting anything in spite of a freeze", (), public=context.public)


def record_override(
    session: Session, context: RequestContext, run: Run, freeze: dict[str, object], now: float
) -> None:
    """Keep that `run` starts in spite of a freeze: by whom, by which rule, why, and of what."""
    record = entry(
        context,
        EntryKind.OVERRIDDEN,
        f"run:{run.number}",
        now,
        job=run.job,
        why=run.override,
        freeze=words.frozen(freeze),
    )
    record.run, record.rule = run.number, f"override: {context.rules.get(_RULE, '')}".removesuffix(": ")
    journal.record(session, [record])
