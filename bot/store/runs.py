"""Runs: enqueued once per key, claimed by one bot, moved only as `bot.states` allows."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Unpack

from sqlalchemy import ColumnElement, bindparam, func, or_, select, true, update
from sqlalchemy.orm import Session

from bot.access import people
from bot.states import BUILD_FAILED, NOT_STARTED, State
from bot.store import admission, journal, journal_entries, locks, occasions, posts, reviews, start_limits
from bot.store.claims import Claim
from bot.store.columns import BUILD, RUN, among, table_of
from bot.store.inserts import insert_all, insert_once
from bot.store.journal_entries import NONE, Grounds
from bot.store.run_locks import scope_of
from bot.store.statements import rows_of
from bot.store.transitions import ACTIVE, QUEUED, RUNS, UNFINISHED, Update
from bot.store.wakeups import changed, wake
from bot.tables import Build, Post, Run
from executor.spec import Result

_CLAIM = Claim(
    Run,
    [among(RUN.state, QUEUED), RUN.admitted == true()],
    begun=[among(RUN.state, ACTIVE), RUN.admitted == true()],
)

_AMONG_FEW = RUN.number + 0
"""The number where few runs meet the other conditions: those are found first, by their index, then sorted."""


class RunUpdate(Update, total=False):
    """What may become known of a run together with a move."""

    waiting_for: str | None
    outputs: dict[str, str] | None
    summary: str | None
    progress: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A run that is to be stored, the cards that tell of it, and the unguessable part of its name.

    `rule` is by which it may be, as the journal has it.
    """

    run: Run
    cards: Sequence[Post]
    nonce: str
    rule: str | None = None


def enqueue(
    session: Session, run: Run, cards: Sequence[Post], *, now: float, nonce: str, rule: str | None = None
) -> tuple[Run, bool]:
    """Insert `run` and its posts, whose keys get `run:<number>:` put before them, and number both.

    A run with the same key is returned instead, with False, and nothing is added. The run's `name`
    becomes `<job>-<number>-<nonce>`. A build that it needs and that has ended meanwhile counts at once.
    """
    run.created_at = now
    _look_at_build(session, run, now)
    start_limits.begin(session, run, now=now)
    admission.arrive(session, run, now=now)
    stored, new = insert_once(session, Run, run, prefix=f"{run.job}-", suffix=f"-{nonce}")
    if not new:
        return stored, False
    posts.add_cards(session, cards, run=stored.number)
    _tell_journal(session, [(stored, rule)])
    wake(session, "runs" if stored.hold is None else "holds")
    changed(session, stored)
    occasions.moved(session, stored)
    if admission.settle(session, stored, now=now):
        stored = session.get_one(Run, stored.number)
    return stored, True


def enqueue_all(session: Session, drafts: Sequence[Draft], *, now: float) -> list[Run]:
    """The same for many runs of different jobs, in a few statements; gives those that are new.

    What wants to be alone, or is held, is looked at one by one. The nonces have to differ.
    """
    alone = [draft for draft in drafts if not _is_free(draft.run)]
    free = [draft for draft in drafts if _is_free(draft.run)]
    found = [
        enqueue(session, each.run, each.cards, now=now, nonce=each.nonce, rule=each.rule) for each in alone
    ]
    stored = [run for run, new in found if new]
    if not free:
        return stored
    known = {draft.run.build_number for draft in free if draft.run.digest is None}
    building = {number: _build(session, number) for number in sorted(n for n in known if n is not None)}
    for each in free:
        each.run.created_at, each.run.name = now, each.nonce
        if each.run.digest is None and each.run.build_number is not None:
            _follow(each.run, building[each.run.build_number], now)
        start_limits.begin(session, each.run, now=now)
    admission.arrive_all(session, [draft.run for draft in free], now=now)
    new = insert_all(session, [draft.run for draft in free])
    numbered = [draft for draft in free if draft.run.number is not None]
    posts.add_all(session, [(card, each.run.identity) for each in numbered for card in each.cards])
    _tell_journal(session, [(draft.run, draft.rule) for draft in numbered])
    wake(session, "runs")
    changed(session, *new)
    for run in new:
        occasions.moved(session, run)
        if run.build_number is None or run.digest is not None:  # the others' cards show the build
            admission.settle(session, run, now=now)
    return stored + new


def _is_free(run: Run) -> bool:
    """Whether the gate has nothing to decide about it but what people closed."""
    return run.concurrency == "allow" and run.lock is None and run.hold is None


def _tell_journal(session: Session, stored: Sequence[tuple[Run, str | None]]) -> None:
    """That these runs were stored, by which rules, and that those have ended whose build had failed."""
    started = [journal_entries.run_started(run, rule) for run, rule in stored]
    over = [run for run, _ in stored if run.state == State.FINISHED]
    journal.record(session, [*started, *(journal_entries.run_finished(run) for run in over)])


def _look_at_build(session: Session, run: Run, now: float) -> None:
    """Start where the needed build stands; locked, so that it cannot end without seeing this run."""
    if run.build_number is not None and run.digest is None:
        _follow(run, _build(session, run.build_number), now)


def _build(session: Session, number: int) -> Build:
    build = session.scalar(select(Build).where(BUILD.number == number).with_for_update())
    if build is None:
        raise LookupError(f"no build #{number}")
    return build


def _follow(run: Run, build: Build, now: float) -> None:
    """Let `run` start where its build stands."""
    if build.state == State.FINISHED and build.digest is not None:
        run.digest = build.digest
    elif build.state == State.FINISHED:
        run.state, run.result, run.reason = State.FINISHED, "error", BUILD_FAILED
        run.reason_on, run.finished_at = {"build": build.number, "image": build.image}, now
    elif build.state == State.BUILDING:
        run.state = State.BUILDING


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Run]:
    """Take up to `limit` runs that the gate let through and that nobody holds.

    Those that have begun come first, and all of them, however small the limit: they go on whether somebody
    carries them or not. What somebody locked only until now is opened first, for locks of which this bot
    was not told.
    """
    locks.expire(session, now=now)
    rows = _CLAIM.take(session, owner=owner, span=(now, lease), limit=limit)
    return sorted(rows, key=lambda run: run.state in QUEUED)


def move(
    session: Session, number: int, to: State, *, owner: str, now: float, **facts: Unpack[RunUpdate]
) -> Run | None:
    """Move a run that `owner` holds; None when it is not held, not there, or may not move so.

    Becoming `running` and `finished` notes the time unless `facts` give it; the end frees the lease.
    All its cards are wanted again.
    """
    if to is State.FINISHED:
        admission.hold(session)
        if facts.get("result") == Result.CANCELLED and start_limits.gave_up(session, number):
            facts |= {"result": Result.ERROR, "reason": NOT_STARTED}
    run = RUNS.move(session, number, to, owner=owner, now=now, facts=facts)
    if run is not None and to is State.FINISHED:
        admission.opened(session, scope_of(run), now=now)
    return run


def note(session: Session, number: int, *, owner: str, waiting_for: str | None) -> Run | None:
    """Say what a run waits for; its cards are wanted again only if that is news (else None)."""
    news = RUN.waiting_for.is_distinct_from(waiting_for)
    mine = [RUN.state != State.FINISHED, RUN.lease_owner == owner, news]
    return RUNS.change(session, number, mine, waiting_for=waiting_for)


def advance(session: Session, number: int, *, owner: str, done: int, total: int) -> Run | None:
    """Note how far a run that `owner` holds is; None where it is not held, or not under way."""
    new = {"of": number, "owner": owner, "progress": {"done": done, "total": total}}
    rows = rows_of(session, Run, _advanced(), new)
    if not rows:
        return None
    posts.want(session, "run", [number], posts.Wish.GOES_ON)
    changed(session, *rows)
    return rows[0]


@cache
def _advanced() -> Any:
    table = table_of(Run)
    mine = [RUN.number == bindparam("of"), RUN.lease_owner == bindparam("owner"), among(RUN.state, ACTIVE)]
    new = bindparam("progress", type_=table.c.progress.type)
    return update(table).where(*mine).values(progress=new).returning(*table.c)


def pin(session: Session, number: int, *, owner: str, digest: str, now: float) -> Run | None:
    """Note which image exactly a run that `owner` holds is to have; None if it is not held, or has begun.

    Those that wait for a yes to another one of its name are looked at.
    """
    mine = [RUN.state == State.WAITING, RUN.lease_owner == owner]
    run = RUNS.change(session, number, mine, digest=digest, waiting_for=None)
    if run is not None and run.image is not None:
        reviews.of_image(session, run.image, digest, now=now)
    return run


def request_stop(session: Session, number: int, *, by: str, now: float, grounds: Grounds = NONE) -> Run:
    """End a run that nobody began at once, else ask whoever holds it to stop it; `LookupError` if unknown.

    A finished run is returned as it is; one that was asked to stop before keeps who asked first.
    """
    admission.hold(session)
    run, ended = RUNS.request_stop(session, number, by=by, grounds=grounds, now=now)
    if ended:
        admission.opened(session, scope_of(run), now=now)
    return run


def is_known(session: Session, key: str) -> bool:
    """Whether a run was enqueued under this key."""
    return session.scalar(select(RUN.number).where(RUN.key == key)) is not None


def get(session: Session, number: int) -> Run | None:
    """The run with this number."""
    return session.get(Run, number)


def numbered(session: Session, numbers: Collection[int]) -> dict[int, Run]:
    """Those of these runs that are kept, by number."""
    return {run.identity: run for run in session.scalars(select(Run).where(RUN.number.in_(numbers)))}


def latest(
    session: Session,
    *,
    job: str | None = None,
    repository: str | None = None,
    actor: str | None = None,
    begun: bool = False,
) -> Run | None:
    """The newest run, of this job, repository and person where given; only one that started if `begun`."""
    query = select(Run).order_by(RUN.number.desc()).limit(1)
    if job is not None:
        query = query.where(RUN.job == job)
    if repository is not None:
        query = query.where(RUN.repository == repository)
    if actor is not None:
        query = query.where(_by(actor))
    if begun:
        query = query.where(RUN.started_at.is_not(None))
    return session.scalar(query)


def _by(actor: str) -> ColumnElement[bool]:
    """That somebody asked for a run, through whatever door; GitHub does not tell logins by case."""
    names = people.names_of(actor)
    return RUN.actor == actor if len(names) == 1 else func.lower(RUN.actor).in_(names)


def unfinished(
    session: Session,
    *,
    job: str | None = None,
    repository: str | None = None,
    actor: str | None = None,
    limit: int,
) -> list[Run]:
    """Up to `limit` runs that have not ended, newest first, of this job, repository and person where told."""
    query = select(Run).where(RUN.state.in_(UNFINISHED)).order_by(_AMONG_FEW.desc()).limit(limit)
    for column, value in ((RUN.job, job), (RUN.repository, repository)):
        if value is not None:
            query = query.where(column == value)
    if actor is not None:
        query = query.where(_by(actor))
    return list(session.scalars(query))


def page(
    session: Session,
    *,
    job: str | None = None,
    jobs: Collection[str] | None = None,
    state: str | None = None,
    repository: str | None = None,
    actor: str | None = None,
    limit: int = 50,
    before: int | None = None,
    offset: int = 0,
    ownerless: bool = False,
) -> list[Run]:
    """Runs, newest first, only of `jobs` unless None; `before` is the last number of the page before.

    `offset`: so many are left out first. `ownerless`: besides those of `repository` also those of none.
    """
    few = state is not None and state != State.FINISHED
    query = select(Run).order_by(_AMONG_FEW.desc() if few else RUN.number.desc()).limit(limit)
    if job is not None:
        query = query.where(RUN.job == job)
    if jobs is not None:
        query = query.where(RUN.job.in_(sorted(jobs)))
    if few:
        query = query.where(RUN.state == state)
    elif state is not None:
        query = query.where(RUN.state.not_in(UNFINISHED))  # nearly all: no index by state is to be used
    if repository is not None:
        mine = RUN.repository == repository
        query = query.where(or_(mine, RUN.repository.is_(None)) if ownerless else mine)
    if actor is not None:
        query = query.where(_by(actor))
    if before is not None:
        query = query.where(RUN.number < before)
    return list(session.scalars(query.offset(offset) if offset else query))
