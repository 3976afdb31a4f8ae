"""The database: the only place with transactions and SQL.

`Store` opens it and runs small functions, `(session, ...) -> value`, that live in one module per noun
(`deliveries`, `builds`, `runs`, `attempts`, `posts`, ...). They decide nothing, take the time and random
parts as arguments, and never wait for anything but the database. It asks nobody.
"""

from sqlalchemy.orm import Session

from bot.store import (
    admission,
    approvals,
    attempts,
    block_refusals,
    boards,
    builds,
    deliveries,
    forks,
    holds,
    hooks,
    idempotency,
    image_tags,
    journal,
    leases,
    locks,
    occurrences,
    posts,
    results,
    runs,
    sessions,
    stats,
    ticks,
    tokens,
)
from bot.store.store import Store

__all__ = [
    "Session",
    "Store",
    "admission",
    "approvals",
    "attempts",
    "block_refusals",
    "boards",
    "builds",
    "deliveries",
    "forks",
    "holds",
    "hooks",
    "idempotency",
    "image_tags",
    "journal",
    "leases",
    "locks",
    "occurrences",
    "posts",
    "results",
    "runs",
    "sessions",
    "stats",
    "ticks",
    "tokens",
]
