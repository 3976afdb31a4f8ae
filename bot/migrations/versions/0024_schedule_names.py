"""Schedules with names: which of a job's schedules started a run, and what is held of each."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("runs", sa.Column("schedule", sa.String(), nullable=True))
    op.add_column("job_states", sa.Column("named_timetable", sa.String(), nullable=True))
