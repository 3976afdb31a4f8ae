"""What a run or a build stands beside: its neighbours in the history, what repeats it, where it is told."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.store import builds
from bot.store.columns import POST, RUN
from bot.tables import Build, Post, Run

MOST = 20
"""Of each kind as many are given."""


class RunRelations(NamedTuple):
    """Of a run: the build that it needed, and the rest by number as far as that is kept."""

    build: Build | None = None
    earlier: int | None = None  # of the same job
    later: int | None = None
    reruns: tuple[int, ...] = ()  # oldest first
    cards: tuple[Post, ...] = ()


class BuildRelations(NamedTuple):
    """Of a build: the runs that wanted it, newest first, each with its job."""

    runs: tuple[tuple[int, str], ...] = ()
    cards: tuple[Post, ...] = ()


def of_run(session: Session, run: Run, *, alone: bool) -> RunRelations:
    """Each is a few steps through an index; `alone`: nothing of other runs, nor of where it is told."""
    build = builds.get(session, run.build_number) if run.build_number is not None else None
    if alone:
        return RunRelations(build)
    of_job = RUN.job == run.job
    return RunRelations(
        build,
        session.scalar(select(func.max(RUN.number)).where(of_job, RUN.number < run.identity)),
        session.scalar(select(func.min(RUN.number)).where(of_job, RUN.number > run.identity)),
        _reruns(session, run.identity),
        _cards(session, POST.run_number == run.identity),
    )


def of_build(session: Session, number: int, *, alone: bool) -> BuildRelations:
    """The same of a build."""
    if alone:
        return BuildRelations()
    wanting = select(RUN.number, RUN.job).where(RUN.build_number == number)
    rows = session.execute(wanting.order_by(RUN.number.desc()).limit(MOST))
    return BuildRelations(
        tuple((row[0], row[1]) for row in rows), _cards(session, POST.build_number == number)
    )


def _reruns(session: Session, number: int) -> tuple[int, ...]:
    query = select(RUN.number).where(RUN.rerun_of == number).order_by(RUN.number).limit(MOST)
    return tuple(session.scalars(query))


def _cards(session: Session, of_subject: ColumnElement[bool]) -> tuple[Post, ...]:
    """What tells how it stands, oldest first; not what is said once."""
    query = select(Post).where(of_subject, POST.text.is_(None), POST.state != "quiet")
    return tuple(session.scalars(query.order_by(POST.id).limit(MOST)))
