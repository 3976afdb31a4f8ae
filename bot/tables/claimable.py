"""Rows that are worked on by one bot at a time."""

from sqlalchemy import Double
from sqlmodel import Field

from bot.tables.rows import Row


class Claimable(Row):
    """A row that one bot at a time works on: free when `lease_until` has passed."""

    # Not a float first: SQLite (seen in 3.40) gives the integer key as a float in RETURNING then.
    attempts: int = 0
    due_at: float = Field(default=0.0, sa_type=Double)
    lease_owner: str | None = None
    lease_until: float = Field(default=0.0, sa_type=Double)

    @property
    def identity(self) -> int:
        """The key of a stored row: its `number` if it has one, else its `id`."""
        key: int | None = getattr(self, "number", None) or getattr(self, "id", None)
        if key is None:
            raise LookupError("not stored yet")
        return key
