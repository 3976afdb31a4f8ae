"""What is kept for a time is found by its age, and what a job keeps by its number."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    _index("deliveries_ignored", "deliveries", ["state", "received_at"], "state = 'ignored'")
    _index("runs_ended", "runs", ["job", "number", "result"], "state = 'finished'")
    _index("runs_age", "runs", ["job", "finished_at"], "state = 'finished'")


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
