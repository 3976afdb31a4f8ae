"""Which releases can use the schema, for bots that do not know its newest migrations."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "schema_floor",
        sa.Column("version", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
