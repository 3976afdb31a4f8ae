"""Alembic's migrations of the database, oldest first; `bot.store` applies them at start."""
