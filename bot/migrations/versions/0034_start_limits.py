"""By when a run has to start."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

_UNSTARTED = sa.text("start_by IS NOT NULL AND started_at IS NULL AND finished_at IS NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("start_by", sa.Double(), nullable=True))
    op.create_index(
        "runs_start_by", "runs", ["start_by"], sqlite_where=_UNSTARTED, postgresql_where=_UNSTARTED
    )
