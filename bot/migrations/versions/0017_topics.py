"""Posts of which the newest takes the place of the others, and what else is to be known of them at GitHub."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("posts", sa.Column("remote_note", sa.String(), nullable=True))
    op.add_column("posts", sa.Column("topic", sa.String(), nullable=True))
    some = sa.text("topic IS NOT NULL")
    op.create_index("posts_topic", "posts", ["topic"], sqlite_where=some, postgresql_where=some)
