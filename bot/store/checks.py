"""What stands behind the checks of a commit: the posts that carry them, their runs and builds."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.states import State
from bot.store.columns import BUILD, POST, RUN
from bot.tables import Build, Post, Run

CHECK, CARD = "github_check", "github_comment"

MOST = 500
"""Builds of one commit, and runs of those, that are looked at, the newest ones."""


def find(session: Session, kind: str, number: int, nonce: str) -> Post | None:
    """The post that carries the check of this run or build, if that is its nonce."""
    about = {"run": POST.run_number, "build": POST.build_number}[kind]
    return session.scalar(select(Post).where(about == number, POST.kind == CHECK, POST.nonce == nonce))


def pull_of(session: Session, run: int, repository: str) -> int | None:
    """The pull request of `repository` in which the run has a card."""
    cards = session.scalars(select(Post).where(POST.run_number == run, POST.kind == CARD))
    return next((int(card.place["issue"]) for card in cards if card.place["repository"] == repository), None)


def failed(session: Session, repository: str, images: Collection[str], commit: str) -> list[Run | Build]:
    """The runs of which the newest check of that commit did not succeed, and such builds that no run needs.

    One of each job, and of each image, the oldest first. What is under way is left alone.
    """
    made: Any = select(Build).where(BUILD.image.in_(sorted(images)), BUILD.commit == commit)
    builds = session.scalars(made.order_by(BUILD.number.desc()).limit(MOST)).all()
    started = (
        select(Run)
        .join(Post, POST.run_number == RUN.number)
        .where(RUN.build_number.in_([build.number for build in builds]), RUN.repository == repository)
        .where(POST.kind == CHECK)
        .order_by(RUN.number.desc())
        .limit(MOST)
    )
    runs: dict[str, Run] = {}
    for run in session.scalars(started):
        runs.setdefault(run.job, run)
    lost: list[Run | Build] = [run for run in runs.values() if _failed(run)]
    needed = {run.image for run in runs.values()}
    newest: dict[str, Build] = {}
    for build in builds:
        newest.setdefault(build.image, build)
    lost += [build for name, build in newest.items() if name not in needed and _failed(build)]
    return lost[::-1]


def _failed(row: Run | Build) -> bool:
    return row.state == State.FINISHED and row.result != "succeeded"
