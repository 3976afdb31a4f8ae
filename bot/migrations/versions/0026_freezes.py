"""Freezes that people begin, runs that override them, and locks that know their person and pull request."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "freezes",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("jobs", sa.JSON(), nullable=False),
        sa.Column("locks", sa.JSON(), nullable=False),
        sa.Column("environments", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("runs", sa.Column("override", sa.Text(), nullable=True))
    op.add_column("locks", sa.Column("person", sa.String(), nullable=True))
    op.add_column("locks", sa.Column("repository", sa.String(), nullable=True))
    op.add_column("locks", sa.Column("pull_request", _NUMBER, nullable=True))
    op.add_column("locks", sa.Column("told_at", sa.Double(), nullable=True))
