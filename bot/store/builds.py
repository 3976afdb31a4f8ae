"""Builds: one attempt at a time per image, definition and commit; their end decides about waiting runs."""

from typing import Any, Unpack

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.states import BUILD_FAILED, SUPERSEDED, Cause, State
from bot.store import admission, image_tags, journal, journal_entries
from bot.store.claims import Claim
from bot.store.columns import BUILD, RUN
from bot.store.inserts import insert_once
from bot.store.journal_entries import NONE, Grounds
from bot.store.run_locks import scope_of
from bot.store.transitions import BUILDS, HOLDING, QUEUED, RUNS, Update
from bot.store.wakeups import wake
from bot.tables import Build
from bot.text.refs import is_of_fork

_CLAIM = Claim(Build, [BUILD.state == State.WAITING], begun=[BUILD.state == State.BUILDING])
_ORDER = {"image", "repository", "ref", "commit", "definition", "public", "cause", "actor"}
"""What a build is ordered with; the rest becomes of it."""


def need(session: Session, build: Build, *, now: float, nonce: str, rule: str | None = None) -> Build:
    """The build to wait for: one of the same image, definition and commit that succeeded or is under way.

    Where there is none, `build` is inserted as the next attempt, with the key `image@commit#attempt` and
    the name `build-<number>-<nonce>`. The row is locked until the commit: what is enqueued for it in the
    same transaction cannot miss its end. `rule` is by which it may be asked for, as the journal has it.
    """
    mine = select(Build).where(BUILD.image == build.image, BUILD.commit == build.commit)
    while True:
        known = session.scalars(mine.order_by(BUILD.number.desc()).with_for_update()).all()
        for other in known:
            if other.definition == build.definition and _is_alike(other, build.ref) and _is_usable(other):
                _share(session, other, build)
                return other
        build.key = f"{build.image}@{build.commit}#{_attempt(known[0]) + 1 if known else 1}"
        build.name = nonce
        build.created_at = now
        stored, new = insert_once(session, Build, build, prefix="build-", suffix=f"-{nonce}")
        if new:
            wake(session, "builds")
            journal.record(session, [journal_entries.build_requested(stored, rule)])
            return stored


def _is_alike(build: Build, ref: str | None) -> bool:
    """Whether both are of a fork or both are not: what a fork's code made is for nothing else."""
    return is_of_fork(build.ref) == is_of_fork(ref)


def _attempt(build: Build) -> int:
    """Which attempt it was, from its key: earlier ones may be forgotten."""
    return int(build.key.rpartition("#")[2])


def _share(session: Session, build: Build, other: Build) -> None:
    """Note that somebody else needs `build` as well, so that a newer push does not take it away.

    One that people asked for, or that stands on two branches, is nobody's to supersede.
    """
    if build.state == State.FINISHED or build.cause != Cause.PUSH:
        return
    if other.cause != Cause.PUSH:
        BUILDS.change(session, build.identity, [], cause=other.cause, actor=other.actor)
    elif other.ref != build.ref:
        BUILDS.change(session, build.identity, [], ref=None)


def supersede(session: Session, build: Build, *, ref: str, now: float) -> None:
    """End the older builds of this image that only pushes to the branch `ref` wanted; what runs is stopped.

    What those pushes were to run ends with them; a build that somebody asked for otherwise is kept.
    """
    older = [
        BUILD.image == build.image,
        BUILD.repository == build.repository,
        BUILD.ref == ref,
        BUILD.cause == Cause.PUSH,
        BUILD.state != State.FINISHED,
        BUILD.stop_by.is_(None),
        BUILD.number != build.number,
    ]
    why: dict[str, Any] = {"reason": SUPERSEDED, "reason_on": {"build": build.number, "commit": build.commit}}
    for number in session.scalars(select(BUILD.number).where(*older)).all():
        ended = BUILDS.end_unbegun(session, number, older, by=build.actor, now=now, **why)
        if ended is not None:
            _tell_runs(session, ended, now)
        else:
            BUILDS.ask_to_stop(session, number, older, by=build.actor, now=now, **why)


def usable(
    session: Session, image: str, commit: str, definition: dict[str, Any], ref: str | None
) -> Build | None:
    """The build that `need` would give to somebody who asks now, None where it would make one."""
    mine = select(Build).where(BUILD.image == image, BUILD.commit == commit).order_by(BUILD.number.desc())
    fits = (each for each in session.scalars(mine) if each.definition == definition and _is_alike(each, ref))
    return next((each for each in fits if _is_usable(each)), None)


def gone(session: Session, number: int) -> None:
    """The image that a build made was cleared away: whoever needs it next gets a new build."""
    session.execute(
        update(Build)
        .where(BUILD.number == number)
        .values(digest=None, reason="ImageGone")
        .execution_options(synchronize_session=False)
    )


def again(session: Session, run: int, *, owner: str, now: float, nonce: str) -> None:
    """Let a run that `owner` holds wait for a new build: the image of the one it had is gone.

    That build is not used any more, so the next who needs the same gets the new one as well.
    """
    number = session.scalar(
        select(RUN.build_number).where(RUN.number == run, RUN.lease_owner == owner, RUN.state.in_(QUEUED))
    )
    old = get(session, number) if number is not None else None
    if old is None:
        return
    gone(session, old.identity)
    fresh = Build(**old.model_dump(include=_ORDER), key="", name="", created_at=now)
    session.expire(old)
    build = need(session, fresh, now=now, nonce=nonce)
    state = State.BUILDING if build.state == State.BUILDING else State.WAITING
    for waits in admission.close(session, [RUN.number == run]):
        RUNS.change(session, run, [], state=state, build_number=build.number, digest=build.digest)
        admission.opened(session, scope_of(waits), now=now)


def _is_usable(build: Build) -> bool:
    if build.state == State.FINISHED:
        return build.result == "succeeded" and build.digest is not None
    return build.stop_by is None


def claim(session: Session, *, owner: str, now: float, lease: float, limit: int) -> list[Build]:
    """Take up to `limit` unfinished builds that are due and that nobody holds; those begun first, and all."""
    rows = _CLAIM.take(session, owner=owner, span=(now, lease), limit=limit)
    return sorted(rows, key=lambda build: build.state == State.WAITING)


def move(
    session: Session, number: int, to: State, *, owner: str, now: float, **facts: Unpack[Update]
) -> Build | None:
    """Move a build that `owner` holds; None when it is not held, not there, or may not move so.

    Its cards are wanted again, and the runs that wait for it follow: they become `building` with it,
    get its digest when it succeeded, and otherwise end as `error`, `BuildFailed`.
    """
    build = BUILDS.move(session, number, to, owner=owner, now=now, facts=facts)
    if build is not None:
        if build.result == "succeeded" and not is_of_fork(build.ref):
            image_tags.built(session, build.image, build.commit, now=now)
        _tell_runs(session, build, now)
    return build


def request_stop(session: Session, number: int, *, by: str, now: float, grounds: Grounds = NONE) -> Build:
    """End a build that nobody began at once, else ask its holder to stop it; `LookupError` if unknown."""
    build, ended = BUILDS.request_stop(session, number, by=by, grounds=grounds, now=now)
    if ended:
        _tell_runs(session, build, now)
    return build


def _tell_runs(session: Session, build: Build, now: float) -> None:
    """Carry a build's move on to the runs that wait for it, in the same transaction."""
    waiting = [RUN.build_number == build.number, RUN.digest.is_(None)]
    if build.state == State.BUILDING:
        RUNS.change_all(session, [*waiting, RUN.state == State.WAITING], state=State.BUILDING)
        return
    admission.hold(session)
    if build.result == "succeeded":
        moved = RUNS.change_all(
            session, [*waiting, RUN.state.in_(QUEUED)], state=State.WAITING, digest=build.digest
        )
    else:
        moved = RUNS.change_all(
            session,
            [*waiting, RUN.state.in_(QUEUED)],
            state=State.FINISHED,
            **_end_of_runs(build),
            message=build.message,
            tail=build.tail,
            finished_at=now,
            waiting_for=None,
            **dict.fromkeys(HOLDING),
        )
    for scope in dict.fromkeys(scope_of(run) for run in moved):
        admission.opened(session, scope, now=now)


def _end_of_runs(build: Build) -> dict[str, Any]:
    """How the runs end that wait for a build of which nothing became."""
    if build.reason == SUPERSEDED:
        return {"result": "cancelled", "reason": SUPERSEDED, "reason_on": build.reason_on}
    on = build.model_dump(include={"image", "result", "exit_code"}) | {"build": build.number}
    return {"result": "error", "reason": BUILD_FAILED, "reason_on": on}


def get(session: Session, number: int) -> Build | None:
    """The build with this number."""
    return session.get(Build, number)
