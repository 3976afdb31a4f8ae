"""What a commit tells the other bots on PostgreSQL: which queues have work, and which rows changed."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import cast, get_args

from sqlalchemy import Connection

from bot.store.wakeups import Queue
from bot.store.watchers import Subject
from bot.tables import Build, Run

CHANNEL = "errand"
MOST = 250
"""Rows that one notice names: PostgreSQL takes less than 8,000 bytes."""

_QUEUES = frozenset(get_args(Queue))


def payloads(owner: str, queues: Collection[Queue], rows: Sequence[Run | Build]) -> Iterator[str]:
    """What is told of a commit of `owner`; nothing where nobody else could want to know."""
    subjects = dict.fromkeys((row.kind, row.identity) for row in rows)
    named = list(subjects)
    if not queues and not named:
        return
    for start in range(0, max(len(named), 1), MOST):
        queue_names: list[str] = [] if start else sorted(queues)
        yield json.dumps([owner, queue_names, named[start : start + MOST]], separators=(",", ":"))


def heard(payload: str) -> tuple[str, set[Queue], list[Subject]] | None:
    """Who committed, and what is woken; None for what no bot has sent.

    Queues of newer versions are left out.
    """
    try:
        owner, queues, subjects = json.loads(payload)
        known = cast(set[Queue], _QUEUES & {str(queue) for queue in queues})
        return str(owner), known, [(kind, int(number)) for kind, number in subjects]
    except (ValueError, TypeError):
        return None


def inform(
    connection: Connection, queues: Collection[Queue], rows: Sequence[Run | Build], *, owner: str
) -> None:
    """Tell the other bots of this transaction of `owner`, once it is committed."""
    for payload in payloads(owner, queues, rows):
        connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
