"""Runs that are held: what holds them, and until when at most."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

_HOLD = sa.text("hold IS NOT NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("hold", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("hold_until", sa.Double(), nullable=True))
    op.create_index("runs_held", "runs", ["due_at", "number"], sqlite_where=_HOLD, postgresql_where=_HOLD)
