"""Which number of GitHub stands behind the name of a repository."""

from sqlalchemy import Double, Index
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class RepositoryPin(SQLModel, table=True):
    """The name of a repository, or of an owner alone, with its number; `rival` is who came under it later."""

    __tablename__ = "repository_pins"
    __table_args__ = (Index("repository_pins_number", "number"),)

    name: str = Field(primary_key=True)  # acme/shop or acme, in small letters
    number: int = Field(sa_type=Number)
    current: str  # what GitHub called it last; empty where another one is called that by now
    pinned_at: float = Field(sa_type=Double)
    rival: int | None = Field(default=None, sa_type=Number)
