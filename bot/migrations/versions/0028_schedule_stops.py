"""Schedules that stop by themselves after failures in a row, and why people paused one."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("job_states", sa.Column("paused_why", sa.Text(), nullable=True))
    op.add_column("job_states", sa.Column("failures", sa.Integer(), nullable=True))
    op.add_column("runs", sa.Column("stopped_after", sa.Integer(), nullable=True))
