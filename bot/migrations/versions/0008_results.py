"""Runs by how they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_ENDED = sa.text("result IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "runs_result",
        "runs",
        ["result", "number"],
        unique=False,
        sqlite_where=_ENDED,
        postgresql_where=_ENDED,
    )
