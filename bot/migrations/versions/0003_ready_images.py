"""Images that are not built: what they were defined as is kept with each run in them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("runs", sa.Column("image_definition", sa.JSON(none_as_null=True), nullable=True))
