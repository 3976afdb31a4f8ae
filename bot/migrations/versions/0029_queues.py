"""Limits with a number and a key, and several locks a run."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

_AT_THE_GATE = sa.text("state <> 'finished' AND hold IS NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("at_most", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("queue", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("over", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("locks", sa.JSON(), nullable=True))
    op.create_index(
        "runs_queue",
        "runs",
        ["job", "queue", "admitted", "number"],
        sqlite_where=_AT_THE_GATE,
        postgresql_where=_AT_THE_GATE,
    )
    op.create_table(
        "run_locks",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("run_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("run_number", "target"),
    )
    op.create_index("run_locks_target", "run_locks", ["target", "held", "run_number"])
