"""Repositories and owners by the number that each had when it was first seen."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "repository_pins",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("current", sa.String(), nullable=False),
        sa.Column("pinned_at", sa.Double(), nullable=False),
        sa.Column("rival", _NUMBER, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("repository_pins_number", "repository_pins", ["number"], unique=False)
