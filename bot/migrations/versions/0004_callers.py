"""Who calls over HTTP: scopes and ends of tokens, deploy hooks, idempotency keys, tags that hooks chose."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("tokens", sa.Column("scopes", sa.JSON(), nullable=False, server_default='["read"]'))
    op.add_column("tokens", sa.Column("expires_at", sa.Double(), nullable=True))
    tokens = sa.table("tokens", sa.column("admin", sa.Boolean()), sa.column("scopes", sa.JSON()))
    op.execute(tokens.update().where(tokens.c.admin == sa.true()).values(scopes=["admin"]))
    op.drop_column("tokens", "admin")
    op.create_table(
        "hooks",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("last_used_at", sa.Double(), nullable=True),
        sa.Column("last_used_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hash"),
    )
    op.create_index("hooks_job", "hooks", ["job", "name"], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("run_number", _NUMBER, nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idempotency_key", "idempotency", ["caller", "key"], unique=True)
    op.create_index("idempotency_age", "idempotency", ["created_at"], unique=False)
    op.create_table(
        "image_tags",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("image", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("moved_at", sa.Double(), nullable=False),
        sa.Column("moved_by", sa.String(), nullable=False),
        sa.Column("pushed", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("job"),
    )
    op.create_index("image_tags_image", "image_tags", ["image"], unique=False)
