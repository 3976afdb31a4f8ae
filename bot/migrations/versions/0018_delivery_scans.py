"""How far the deliveries that GitHub recorded were looked through, and a list of those that were given up."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_scans",
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=False),
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("mark", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source"),
    )
    some = sa.text("state = 'failed'")
    op.create_index("deliveries_failed", "deliveries", ["id"], sqlite_where=some, postgresql_where=some)
