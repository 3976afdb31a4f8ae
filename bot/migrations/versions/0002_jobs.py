"""Versions of jobs, attempts of runs, ticks of schedules, locks."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("run_number", _NUMBER, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("tail", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("finished_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("attempts_run", "attempts", ["run_number", "attempt"], unique=True)
    op.create_table(
        "job_versions",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("job_versions_job", "job_versions", ["job", "version"], unique=True)
    op.create_table(
        "job_states",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("paused_until", sa.Double(), nullable=True),
        sa.Column("paused_by", sa.String(), nullable=True),
        sa.Column("skip_at", sa.Double(), nullable=True),
        sa.Column("skipped_by", sa.String(), nullable=True),
        sa.Column("ticked_to", sa.Double(), nullable=True),
        sa.Column("timetable", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_table(
        "ticks",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("run_number", _NUMBER, nullable=True),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ticks_job", "ticks", ["job", "at"], unique=True)
    op.create_index("ticks_age", "ticks", ["decided_at"], unique=False)
    op.create_table(
        "locks",
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("target"),
    )
    for column in (
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("tick_at", sa.Double(), nullable=True),
        sa.Column("lock", sa.String(), nullable=True),
        sa.Column("concurrency", sa.String(), nullable=False, server_default="allow"),
        sa.Column("admitted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"),
    ):
        op.add_column("runs", column)
    op.create_index("runs_lock", "runs", ["lock", "state", "admitted", "number"], unique=False)
    op.create_index("runs_gate", "runs", ["job", "state", "admitted", "concurrency", "number"], unique=False)
    op.add_column("tokens", sa.Column("admin", sa.Boolean(), nullable=False, server_default=sa.false()))
