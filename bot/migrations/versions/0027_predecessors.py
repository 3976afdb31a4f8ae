"""Runs by their commit and by what their image was, for those that wait for the success of others."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

_COMMIT, _DIGEST = sa.text('"commit" IS NOT NULL'), sa.text("digest IS NOT NULL")


def upgrade() -> None:
    for name, column, where in (("runs_commit", "commit", _COMMIT), ("runs_digest", "digest", _DIGEST)):
        columns = [column, "job", "number"]
        op.create_index(name, "runs", columns, sqlite_where=where, postgresql_where=where)
