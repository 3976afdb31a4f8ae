"""What a run is for, and what its job reports besides its exit code."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("runs", sa.Column("pull_request", _NUMBER, nullable=True))
    op.add_column("runs", sa.Column("environment", sa.String(), nullable=True))
    op.add_column("runs", sa.Column("outputs", sa.JSON(), nullable=True))
    op.add_column("runs", sa.Column("summary", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("progress", sa.JSON(), nullable=True))
