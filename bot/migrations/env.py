"""Alembic's entry: runs the migrations on the connection that `bot.store.schema` gives."""

from alembic import context
from sqlmodel import SQLModel

import bot.tables  # noqa: F401 (fills the metadata that new migrations are compared with)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
)
context.run_migrations()
