"""What repositories define for themselves, as it was read of them last."""

from typing import Any

from sqlalchemy import JSON, Double, Text
from sqlmodel import Field

from bot.tables.claimable import Claimable
from bot.tables.types import Number


class RepositoryFile(Claimable, table=True):
    """The `.errand.yaml` of one repository, which is read again while `wanted` is ahead of `read`.

    `commit` is where what is in force stands, with `written` (its plain values), `images` (as the catalog has
    them) and `lines` (of the jobs, by the names that hold here). `seen` is what was read last, and `blob` the
    file there, `state` what came of it: `new`, `good`, `wrong`, `none` (there is no such file) or `gone` (the
    repository may define nothing, or is no more). `problem` says why that is.
    """

    __tablename__ = "repository_files"

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    repository_number: int = Field(unique=True, sa_type=Number)
    repository: str  # as it is known here
    prefix: str = ""  # of its names; the first one stays
    wanted: int = 1
    read: int = 0
    pusher: str | None = None  # the actor of the last push, of `pushed`
    pushed: str | None = None
    branch: str | None = None
    commit: str | None = None
    written: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    images: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    lines: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    seen: str | None = None
    blob: str | None = None
    state: str = "new"
    problem: str | None = Field(default=None, sa_type=Text)
    revision: int = 0  # grows with every change of what is in force
    read_at: float | None = Field(default=None, sa_type=Double)
