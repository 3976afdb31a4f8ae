"""Freezes that people began: nothing starts until they end."""

from sqlalchemy import JSON, Double, Text
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class ManualFreeze(SQLModel, table=True):
    """Nothing of these jobs, locks or environments starts; of nothing at all where there are none."""

    __tablename__ = "freezes"

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    jobs: list[str] = Field(default_factory=list, sa_type=JSON)
    locks: list[str] = Field(default_factory=list, sa_type=JSON)
    environments: list[str] = Field(default_factory=list, sa_type=JSON)
    why: str | None = Field(default=None, sa_type=Text)
    actor: str
    created_at: float = Field(sa_type=Double)
    until: float | None = Field(default=None, sa_type=Double)  # None: until somebody ends it

    @property
    def number(self) -> int:
        """By which it is named."""
        return self.id or 0
