"""Which build ended a run or replaced another is a reference; sentences of before are shown as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for table in ("runs", "builds"):
        op.add_column(table, sa.Column("reason_on", sa.JSON(), nullable=True))
