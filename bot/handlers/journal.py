"""What handlers write into the journal: an entry of a request, with the rule by which its asker may."""

from typing import Any

from bot.access import scopes
from bot.access.callers import Caller
from bot.errors import AskerError, HeadMoved, NotAllowed, NotMet
from bot.handlers.authorization import RequestContext
from bot.states import Cause, EntryKind
from bot.tables import JournalEntry

_BY_CONFIGURATION = {
    Cause.PUSH: "on: push",
    Cause.SCHEDULE: "schedule",
    Cause.ACTIONS: "allow",
    Cause.CHAIN: "then",
}
"""What starts jobs without anybody's right being asked: whoever runs the installation wrote it down."""


def rule_of(context: RequestContext, *, job: str | None = None, repository: str | None = None) -> str | None:
    """By which rule the asker may do something with a job, or with what is of a repository; None: unknown."""
    if context.occurrence is not None:
        return f"on: {context.occurrence.event}"
    named = context.rules.get(job or "") or context.rules.get(repository or "")
    if context.scoped is not None and not (named or "").startswith("allow"):
        return rule_of_caller(context.scoped, job)
    return named or _BY_CONFIGURATION.get(context.cause)


def rule_of_caller(caller: Caller, job: str | None) -> str | None:
    """By which of its scopes a caller may do something with a job, or at all; None where by none.

    Of a person it is the right to write, which is asked for before anything is done.
    """
    if caller.login is not None:
        return "github:permission/write"
    if caller.cause is Cause.HOOK:
        return caller.name
    if caller.cause is Cause.ACTIONS:
        return _BY_CONFIGURATION[Cause.ACTIONS]
    scope = scopes.opening(caller.scopes, job)
    return None if scope is None else f"scope: {scope}"


def refused_by(error: AskerError) -> str | None:
    """What refused; None where nothing did, as of what was mistyped."""
    if isinstance(error, NotMet):
        return f"requires: {', '.join(error.codes)}"
    if isinstance(error, HeadMoved):
        return "head moved"
    if not isinstance(error, NotAllowed):
        return None
    kind = str(error.reason.get("kind", ""))
    return error.rule or (kind if kind not in ("", "answer") else "not allowed")


def refusal(
    context: RequestContext, error: AskerError, at: float, *, job: str | None, verb: str | None = None
) -> list[JournalEntry]:
    """What the journal says of an answer that is a no: nothing where that is no refusal."""
    rule = refused_by(error)
    if rule is None:
        return []
    subject = f"command:{verb or 'run'}" if job is None else f"job:{job}"
    found = entry(context, EntryKind.REFUSED, subject, at, job=job, verb=verb, reason=error.reason)
    found.rule = rule
    return [found]


def entry(
    context: RequestContext,
    kind: EntryKind,
    subject: str,
    at: float,
    *,
    job: str | None = None,
    **facts: Any,
) -> JournalEntry:
    """What the asker of a request did to a subject at a moment, by the rule that let them.

    Where one rule alone let them do all that they asked for, that is the one.
    """
    rule = rule_of(context, job=job, repository=context.repository)
    only = set(context.rules.values())
    return JournalEntry(
        at=at,
        kind=kind,
        actor=context.actor,
        cause=context.cause,
        subject=subject,
        job=job,
        repository=context.repository,
        rule=rule or (only.pop() if len(only) == 1 else None),
        facts={name: value for name, value in facts.items() if value is not None},
    )
