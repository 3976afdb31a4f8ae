"""Commits of forks that somebody said may be built and run here."""

from sqlalchemy import Double, Index
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class ForkCommit(SQLModel, table=True):
    """One commit of a pull request from a fork; it counts while it is the head of that."""

    __tablename__ = "fork_commits"
    __table_args__ = (Index("fork_commits_commit", "repository", "commit", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    repository: str  # in small letters
    commit: str  # a full SHA
    pull: int
    actor: str  # github:octocat
    at: float = Field(sa_type=Double)
