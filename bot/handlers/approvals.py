"""`approve` and `deny`: who may say yes or no to a run that waits for it, and that it counts once each.

What a run needs is what its definition said when it was asked for; who may give it is asked anew of GitHub
and Slack, now and when it is released. Nobody says yes to what they asked for themselves, by whatever name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot import messages
from bot.access import people
from bot.access.policy import Subject, Verdict
from bot.catalog.approval import door_of
from bot.errors import AskerError, Missing, NotAllowed, ProblemType
from bot.handlers.askers import Askers
from bot.handlers.authorization import Authorization, RequestContext
from bot.handlers.bindings import BindingReview, Change, bound, senders
from bot.repositories import CodeHost
from bot.states import APPROVAL_VOIDED, DENIED, ActorKind, EntryKind, Hold
from bot.store import Session, Store, approvals, holds, journal, runs
from bot.tables import Approval, JournalEntry, Run

_PEOPLE = frozenset({ActorKind.GITHUB, ActorKind.SLACK, ActorKind.TERMINAL})


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody's yes or no came to: the run as it is then, and what there is to say (Markdown)."""

    run: Run
    text: str


class Approvers:
    """Says whether somebody may say yes or no to a run; asks GitHub and Slack, nothing that is remembered."""

    def __init__(self, authorization: Authorization, askers: Askers, host: CodeHost, store: Store) -> None:
        self._authorization = authorization
        self._askers = askers
        self._host = host
        self._store = store

    async def might(self, context: RequestContext, run: Run) -> bool:
        """Whether they probably may, for lists: by what was asked a moment ago, and not who wrote what."""
        another = self._is_another(run, context)
        return another and (await self.verdict(context, run, fresh=False)).allowed

    def _is_another(self, run: Run, context: RequestContext) -> bool:
        return all(self._askers.is_another(one, context.actor) for one in (run.actor, *senders(run)))

    async def verdict(self, context: RequestContext, run: Run, *, fresh: bool = True) -> Verdict:
        """By the rule of the definition; of one that names nobody whoever may run the job."""
        names = (run.approval or {}).get("from") or ()
        if not names:
            return await self._authorization.decide_run(context, run, fresh=fresh)
        repositories = (run.repository,) if run.repository is not None else ()
        subject = Subject(f"saying yes to #{run.number}", repositories, public=context.public)
        rule = self._authorization.rule(names)
        return await self._authorization.decide(context, rule, subject, fresh=fresh)

    async def require(self, context: RequestContext, run: Run) -> Verdict:
        """Raise `AskerError` unless they may; `RetryLater` where that is not known now.

        Who has nothing to do with the run is told no more of it than that they may not.
        """
        names = (run.approval or {}).get("from") or ()
        if context.actor.partition(":")[0] not in _PEOPLE and not names:
            raise NotAllowed(messages.no_person(), "approval: a person")
        verdict = await self.verdict(context, run)
        if not verdict.allowed:
            await self._authorization.require_run(context, run)
            raise NotAllowed(verdict.sentence, verdict.by or "approval.from")
        await self._require_another(context, run)
        return verdict

    async def _require_another(self, context: RequestContext, run: Run) -> None:
        """None of who asked, let a workflow ask, made the token or hook that asks, or wrote the commit."""
        askers = [run.actor, *await self._makers(run.actor), *senders(run)]
        givers = [context.actor, *await self._makers(context.actor)]
        if any(self._askers.person(one) == self._askers.person(other) for one in askers for other in givers):
            raise NotAllowed(messages.own_run(run), "approval: not the asker")
        if not self._is_another(run, context):
            raise NotAllowed(messages.unknown_another(run), "approval: not the asker")
        if (run.approval or {}).get("not_author"):
            await self._require_no_author(context, run)

    async def _makers(self, actor: str) -> list[str]:
        """Who made the token or the hook that an actor is, as far as the journal goes back."""
        if actor.partition(":")[0] not in (ActorKind.TOKEN, ActorKind.HOOK):
            return []
        return list(await self._store.read(lambda s: journal.makers_of(s, actor)))

    async def _require_no_author(self, context: RequestContext, run: Run) -> None:
        if run.commit is None or run.repository is None:
            return
        authors = set(await self._host.required.facts.authors(run.repository, run.commit))
        if run.pull_request is not None:
            authors.add((await self._host.required.pull(run.repository, run.pull_request)).author)
        if None in authors:
            raise NotAllowed(messages.unknown_author(run), "approval.not_author")
        person = self._askers.person(context.actor)
        named = {people.identity(ActorKind.GITHUB.named(login)) for login in authors if login is not None}
        if person in named:
            raise NotAllowed(messages.own_commit(run), "approval.not_author")
        if not person.startswith(f"{ActorKind.GITHUB}:"):
            raise NotAllowed(messages.unknown_another(run), "approval: not the asker")


class ApprovalHandler:
    """What somebody says of a run, for one transaction."""

    def __init__(
        self,
        authorization: Authorization,
        approvers: Approvers,
        review: BindingReview,
        store: Store,
        clock: Callable[[], float],
    ) -> None:
        self._authorization = authorization
        self._approvers = approvers
        self._review = review
        self._store = store
        self._clock = clock

    async def approve(self, context: RequestContext, number: int) -> Callable[[Session], Answer]:
        """A yes to a run; raises `AskerError` where it cannot count."""
        run = await self._waiting_run(context, number)
        verdict = await self._approvers.require(context, run)
        if _is_unsettled(run):
            raise AskerError(messages.image_unknown(run))
        changes = await self._review.changes(run)
        return lambda session: self._yes(session, context, run, verdict.by, changes)

    async def deny(
        self, context: RequestContext, number: int, why: str | None
    ) -> Callable[[Session], Answer]:
        """A no to a run, which ends it; raises `AskerError` where they may not say it."""
        run = await self._waiting_run(context, number)
        verdict = await self._approvers.require(context, run)
        return lambda session: self._no(session, context, run, verdict.by, why)

    async def _waiting_run(self, context: RequestContext, number: int) -> Run:
        """The run, where it waits for a yes that may be given here."""
        run = await self._store.read(lambda session: runs.get(session, number))
        if run is None:
            raise Missing(f"There is no run #{number}.", ProblemType.NO_SUCH_RUN)
        if context.public and run.repository != context.repository:
            raise NotAllowed("On a public pull request only jobs of that same repository can be asked for.")
        if run.approval is None or run.hold != Hold.APPROVAL:
            await self._authorization.require_run(context, run)
            raise AskerError(messages.no_yes_wanted(run))
        door = door_of(context.cause)
        if door is None or door not in run.approval["on"]:
            await self._approvers.verdict(context, run)
            raise NotAllowed(messages.other_door(run), "approval.on")
        return run

    def _locked_run(self, session: Session, seen: Run) -> Run:
        """The run within the transaction; `AskerError` where it waits no longer, or is another one."""
        approvals.hold(session)
        run = runs.get(session, seen.identity)
        if run is None:
            raise Missing(f"There is no run #{seen.number}.", ProblemType.NO_SUCH_RUN)
        if run.hold != Hold.APPROVAL or run.approval is None:
            raise AskerError(messages.no_yes_wanted(run))
        if (run.hold_until or 0.0) <= self._clock():
            raise AskerError(messages.yes_too_late(run))
        return run

    def _yes(
        self, session: Session, context: RequestContext, seen: Run, rule: str, changes: list[Change]
    ) -> Answer:
        run, now = self._locked_run(session, seen), self._clock()
        change = self._review.definition_change(run)
        changes = [change] if change is not None else changes
        if bound(run) != bound(seen):
            raise AskerError(messages.changed_meanwhile(run))
        if changes:
            ended = void(session, run, self._review.account(run, changes), now=now)
            return Answer(ended, messages.voided(ended))
        row = self._row(context, run, approvals.YES, rule, now)
        fresh = approvals.add(session, row)
        yeses = [each for each in approvals.of_run(session, run.identity) if each.verdict == approvals.YES]
        enough = len(yeses) >= run.approval["count"] if run.approval else False
        if fresh:
            run = approvals.note(session, run, yeses, due_at=now if enough else None) or run
            _record(session, EntryKind.APPROVED, run, context, now, rule, {"of": len(yeses)})
        holds.wake_all(session)
        return Answer(run, messages.yes_counts(run, fresh=fresh, enough=enough))

    def _no(self, session: Session, context: RequestContext, seen: Run, rule: str, why: str | None) -> Answer:
        run, now = self._locked_run(session, seen), self._clock()
        approvals.add(session, self._row(context, run, approvals.NO, rule, now))
        on = {"actor": context.actor, "why": why}
        ended = holds.end(session, run.identity, Hold.APPROVAL, now=now, reason=DENIED, on=on)
        if ended is None:
            raise AskerError(messages.no_yes_wanted(run))
        _record(session, EntryKind.DENIED, run, context, now, rule, {"why": why} if why else {})
        return Answer(ended, messages.denied(ended))

    @staticmethod
    def _row(context: RequestContext, run: Run, verdict: str, rule: str, now: float) -> Approval:
        return Approval(
            run=run.identity,
            person=people.identity(context.actor),
            actor=context.actor,
            cause=context.cause,
            verdict=verdict,
            at=now,
            bound=bound(run),
            rule=rule or None,
        )


def _is_unsettled(run: Run) -> bool:
    """Whether it is still looked up which image exactly it is to have."""
    return run.image_definition is not None and run.digest is None


def void(session: Session, run: Run, account: Mapping[str, Any], *, now: float) -> Run:
    """End a run that waits for a yes to what is not so any more; every yes to it counts no longer.

    `account` says what has changed, see `BindingReview.account`.
    """
    ended = holds.end(session, run.identity, Hold.APPROVAL, now=now, reason=APPROVAL_VOIDED, on=account)
    if ended is None:
        return run
    entry = JournalEntry(
        at=now,
        kind=EntryKind.APPROVAL_VOIDED,
        actor=run.actor,
        subject=f"run:{run.number}",
        job=run.job,
        run=run.number,
        repository=run.repository,
        facts=dict(account),
    )
    journal.record(session, [entry])
    return ended


def _record(
    session: Session,
    kind: EntryKind,
    run: Run,
    context: RequestContext,
    now: float,
    rule: str,
    facts: dict[str, object],
) -> None:
    bound_to = {"asked_by": run.actor, "commit": run.commit, "image": run.digest, "bound": bound(run)[:16]}
    entry = JournalEntry(
        at=now,
        kind=kind,
        actor=context.actor,
        cause=context.cause,
        subject=f"run:{run.number}",
        job=run.job,
        run=run.number,
        repository=run.repository,
        rule=rule or None,
        facts=bound_to | facts,
    )
    journal.record(session, [entry])
