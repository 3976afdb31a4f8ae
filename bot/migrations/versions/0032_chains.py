"""Runs that follow others: of which chain they are, whom they follow, and what became of what followed."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_CHAINED = sa.text("chain IS NOT NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("chain", _NUMBER, nullable=True))
    op.add_column("runs", sa.Column("follows", _NUMBER, nullable=True))
    op.add_column("runs", sa.Column("followed", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(
        "runs_chain", "runs", ["chain", "number"], sqlite_where=_CHAINED, postgresql_where=_CHAINED
    )
