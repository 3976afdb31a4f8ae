"""Who said yes or no to a run, and what a run waits for a yes of."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("runs", sa.Column("approval", sa.JSON(), nullable=True))
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("run", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("bound", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("lost", sa.Boolean(), nullable=False),
    )
    op.create_index("approvals_person", "approvals", ["run", "person"], unique=True)
