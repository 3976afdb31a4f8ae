"""The tables' columns as SQL sees them: comparing one gives a condition, where a field gives a bool."""

from collections.abc import Iterable
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Table, literal
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import SQLModel

from bot.tables import (
    Approval,
    Attempt,
    Build,
    Delivery,
    DeliveryScan,
    EndedSession,
    ForkCommit,
    Hook,
    Idempotency,
    ImageTag,
    JobState,
    JournalEntry,
    Lock,
    ManualFreeze,
    OccurrenceSeen,
    PersonSession,
    Post,
    PushSeen,
    PushVerdict,
    RepositoryFile,
    RepositoryPin,
    Run,
    RunLock,
    Tick,
    Token,
)

Columns = ReadOnlyColumnCollection[str, Column[Any]]


def table_of(model: type[SQLModel]) -> Table:
    """The table behind a model."""
    return cast(Table, getattr(model, "__table__"))  # noqa: B009 (SQLModel does not declare it)


def key_of(model: type[SQLModel]) -> Column[int]:
    """The table's own key: `number` of runs and builds, `id` of everything else."""
    (key,) = table_of(model).primary_key
    return key


def among(column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Whether the column has one of a few values that are known beforehand.

    Written out, one parameter each: a list of values is put into the statement anew with every use.
    """
    return column.in_([literal(value, column.type) for value in values])


APPROVAL: Columns = table_of(Approval).c
ATTEMPT: Columns = table_of(Attempt).c
BUILD: Columns = table_of(Build).c
DELIVERY: Columns = table_of(Delivery).c
DELIVERY_SCAN: Columns = table_of(DeliveryScan).c
ENDED_SESSION: Columns = table_of(EndedSession).c
FORK_COMMIT: Columns = table_of(ForkCommit).c
HOOK: Columns = table_of(Hook).c
IDEMPOTENCY: Columns = table_of(Idempotency).c
IMAGE_TAG: Columns = table_of(ImageTag).c
JOB_STATE: Columns = table_of(JobState).c
JOURNAL: Columns = table_of(JournalEntry).c
FREEZE: Columns = table_of(ManualFreeze).c
LOCK: Columns = table_of(Lock).c
OCCURRENCE: Columns = table_of(OccurrenceSeen).c
PIN: Columns = table_of(RepositoryPin).c
PERSON_SESSION: Columns = table_of(PersonSession).c
POST: Columns = table_of(Post).c
PUSH: Columns = table_of(PushSeen).c
PUSH_VERDICT: Columns = table_of(PushVerdict).c
REPOSITORY_FILE: Columns = table_of(RepositoryFile).c
RUN: Columns = table_of(Run).c
RUN_LOCK: Columns = table_of(RunLock).c
TICK: Columns = table_of(Tick).c
TOKEN: Columns = table_of(Token).c
