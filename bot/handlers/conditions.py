"""What stands in the way of a new run of a job now, and what its schedule does: read, never changed."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog.catalog import Job
from bot.catalog.due import Outlook, outlook, plans_of
from bot.handlers.authorization import RequestContext
from bot.handlers.enqueuing import Enqueuer, Prospect
from bot.handlers.orders import Order, Target
from bot.states import Waiting
from bot.store import Session, admission, locks, ticks


@dataclass(frozen=True, slots=True)
class Conditions:
    """`refusal` is Markdown, None where a run would be taken; `waiting` is besides a build.

    `frozen`: it would be refused because of a freeze. `passed`: a target that the asker closed, and which a
    run of theirs passes.
    """

    refusal: str | None
    waiting: Waiting | None
    timing: Sequence[Outlook]
    frozen: bool = False
    passed: str | None = None


def conditions(
    session: Session,
    enqueuer: Enqueuer,
    context: RequestContext,
    job: Job,
    repository: str | None,
    now: float,
) -> Conditions:
    """Those of a run of `job` that is started now with its defaults, on whatever commit of `repository`."""
    order = Order(context, 0, job, Target(repository, context.public), job.defaults)
    prospect = enqueuer.prospect(session, order)
    timed = timing(session, job, now, 1)
    passed = locks.passed(session, prospect.run, now=now)
    return Conditions(prospect.refusal, waiting(session, prospect, now), timed, prospect.frozen, passed)


def waiting(session: Session, prospect: Prospect, now: float) -> Waiting | None:
    """What the run would wait for besides its build."""
    return None if prospect.refusal else admission.waits_for(session, prospect.run, now=now)


def timing(session: Session, job: Job, now: float, count: int) -> Sequence[Outlook]:
    """The next `count` runs of each of the job's schedules and what holds them back."""
    if not (plans := plans_of(job)):
        return ()
    states = ticks.states(session, [plan.key for plan in plans])
    return [outlook(plan, states, now, count) for plan in plans]
