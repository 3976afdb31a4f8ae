"""Runs for due moments that have passed, which belong together and come one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ANY = sa.text("backfill IS NOT NULL")


def upgrade() -> None:
    op.add_column("runs", sa.Column("backfill", _NUMBER, nullable=True))
    op.create_index("runs_backfill", "runs", ["backfill", "number"], sqlite_where=_ANY, postgresql_where=_ANY)
