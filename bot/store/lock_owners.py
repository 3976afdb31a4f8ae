"""Whose runs go on while a lock keeps back those of everybody else: of who closed it, what they ask for.

What a schedule, a hook, a push, a chain or a workflow starts is nobody's, whoever stands behind it.
"""

from typing import Any

from sqlalchemy import and_, func

from bot.access import people
from bot.states import BY_PEOPLE
from bot.store.columns import RUN, among
from bot.tables import Lock, Run

_CAUSES = tuple(sorted(BY_PEOPLE))


def asker_of(run: Run) -> str:
    """Who asked for `run`, as the `person` of a lock; empty where it started by itself."""
    return people.identity(run.actor) if run.cause in BY_PEOPLE else ""


def goes_on(run: Run, lock: Lock) -> bool:
    """Whether `lock` does not keep `run` back."""
    return lock.person is not None and lock.person == asker_of(run)


def are_of(person: str) -> Any:
    """The runs that somebody asked for, by whatever door."""
    names = people.names_of(person)
    theirs = RUN.actor == person if names == (person,) else func.lower(RUN.actor).in_(names)
    return and_(theirs, among(RUN.cause, _CAUSES))
