"""What happened in a repository besides pushes and comments, once each, and the runs that came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "occurrences",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("environment", sa.String(), nullable=True),
        sa.Column("deployment", _NUMBER, nullable=True),
        sa.Column("review", _NUMBER, nullable=True),
        sa.Column("pull", _NUMBER, nullable=True),
        sa.Column("at", sa.String(), nullable=True),
        sa.Column("payload", sa.Text(), nullable=True),
        sa.Column("decisions", sa.JSON(), nullable=False),
        sa.Column("delivery_id", _NUMBER, nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("occurrences_key", "occurrences", ["repository", "key"], unique=True)
    op.create_index("occurrences_newest", "occurrences", ["repository", "id"], unique=False)
    op.create_index("occurrences_age", "occurrences", ["received_at"], unique=False)
    op.add_column("runs", sa.Column("occurrence", _NUMBER, nullable=True))
    op.create_index("runs_occurrence", "runs", ["occurrence", "number"], unique=False)
