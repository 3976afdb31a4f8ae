"""Why a run may not be stored now, or a held one not be released: asked in the transaction that would do so.

The one place for it. Each check gives a reason as it is stored (a `kind` and what it speaks of), whose words
are in `bot.messages.verdicts`, and is asked in the order of `_CHECKS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.catalog.catalog import Job
from bot.catalog.concurrency import Facts, Turn, turn
from bot.catalog.freezes import Calendar, Subject
from bot.errors import Frozen, NotAfter, NotAlone, NotNow
from bot.handlers.orders import Order, Target
from bot.messages import verdicts
from bot.store import Session, admission, builds, freezes, predecessors
from bot.store.predecessors import Version
from bot.tables import Run

Reason = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that is to be stored (`order`), or that is held and is to be released (`run`).

    `rules` is the definition that says how it and others keep out of each other's way: today's, where the
    job is still there. `calendar` has the freezes of the file. Exactly one of `order` and `run` is given,
    with an order the `target` that it has.
    """

    rules: Job
    calendar: Calendar
    order: Order | None = None
    run: Run | None = None
    target: Target | None = None

    @property
    def turn(self) -> Turn:
        """How it keeps out of the way of others of its job."""
        if self.run is not None:
            run = self.run
            facts = Facts(run.ref, run.pull_request, run.environment)
            return turn(self.rules.concurrency, run.parameters, facts)
        return self.order.turn if self.order is not None else turn(self.rules.concurrency, {}, Facts())

    @property
    def job(self) -> str:
        """The name of the job."""
        return self.run.job if self.run is not None else self.rules.name

    @property
    def subject(self) -> Subject:
        """What a freeze may be about."""
        source = self.run or self.order
        return Subject(self.job, self.rules.locks, None if source is None else source.environment)

    @property
    def overrides(self) -> bool:
        """Whether it starts in spite of a freeze, as somebody said who may."""
        source = self.run or self.order
        return source is not None and source.override is not None


def refusal(session: Session, candidate: Candidate, *, now: float) -> Reason | None:
    """The first reason why not; None: it may."""
    return next((why for check in _CHECKS if (why := check(session, candidate, now)) is not None), None)


_ERRORS: dict[str, type[NotNow]] = {"frozen": Frozen, "after": NotAfter}


def error(why: Reason) -> NotNow:
    """The same for whoever asked."""
    return _ERRORS.get(why["kind"], NotAlone)(verdicts.reason(why), why)


def _alone(session: Session, candidate: Candidate, now: float) -> Reason | None:
    """The job wants to be alone and is under way."""
    return admission.refusal(session, candidate.job, candidate.turn)


def frozen(session: Session, candidate: Candidate, now: float) -> Reason | None:
    """The freeze that is on, whoever overrides it."""
    return freezes.refusal(session, candidate.calendar, candidate.subject, now=now)


def _frozen(session: Session, candidate: Candidate, now: float) -> Reason | None:
    """Nothing of the kind starts now."""
    return None if candidate.overrides else frozen(session, candidate, now)


def _after(session: Session, candidate: Candidate, now: float) -> Reason | None:
    """Another job has to have succeeded first."""
    if not candidate.rules.predecessors:
        return None
    version = _version(session, candidate)
    return None if version is None else unpreceded(session, candidate.job, candidate.rules, version, now=now)


def unpreceded(session: Session, name: str, rules: Job, version: Version, *, now: float) -> Reason | None:
    """The first of the jobs that a run of this version has to come after, but does not."""
    for after in rules.predecessors:
        if (why := predecessors.missing(session, after, version, now=now)) is not None:
            return why | {"job": name}
    return None


def _version(session: Session, candidate: Candidate) -> Version | None:
    """What the run is of; None where nobody has asked yet, as for `why`."""
    if candidate.run is not None:
        return Version(candidate.run.commit, candidate.run.digest)
    target = candidate.target
    if target is None or (target.image is None and candidate.rules.image is not None):
        return None
    if (source := target.source) is None:
        return Version(None, target.digest)
    build = builds.usable(session, source.image.name, source.commit, source.image.recipe, source.ref)
    return Version(source.commit, None if build is None else build.digest)


_CHECKS: Sequence[Callable[[Session, Candidate, float], Reason | None]] = (_frozen, _alone, _after)
