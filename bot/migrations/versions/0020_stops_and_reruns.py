"""Since when a run is being stopped, and an index of what repeats a run."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_REPEATS = sa.text("rerun_of IS NOT NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("stopping_at", sa.Double(), nullable=True))
    op.create_index(
        "runs_rerun",
        "runs",
        ["rerun_of", "number"],
        sqlite_where=_REPEATS,
        postgresql_where=_REPEATS,
    )
