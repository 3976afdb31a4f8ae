"""Why a due moment became no run is a kind and what it speaks of; notes of before are shown as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("ticks", sa.Column("reason", sa.JSON(), nullable=True))
