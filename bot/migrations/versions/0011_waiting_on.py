"""What a run waits for is a kind and what it speaks of; sentences of before are shown as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("runs", sa.Column("waiting_on", sa.JSON(), nullable=True))
