"""Pushes by what is signed of them: repository, ref, before and after."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pushes",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("pushed_at", sa.Double(), nullable=True),
        sa.Column("delivery_id", _NUMBER, nullable=False),
        sa.Column("decided_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("pushes_key", "pushes", ["repository", "ref", "before", "after"], unique=True)
    op.create_index("pushes_ref", "pushes", ["repository", "ref", "id"], unique=False)
    op.create_index("pushes_age", "pushes", ["decided_at"], unique=False)
