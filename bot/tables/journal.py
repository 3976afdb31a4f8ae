"""Who decided what: rows that are added and never changed, and go by their age alone."""

from typing import Any

from sqlalchemy import JSON, Double, Index
from sqlmodel import Field

from bot.tables.rows import Row
from bot.tables.types import Number, where

_REFUSED = where("kind = 'refused'")


class JournalEntry(Row, table=True):
    """One thing that somebody did, decided or was refused; `kind` is one of `bot.states.EntryKind`.

    `subject` is what it was about: `run:142`, `build:7`, `job:migrate`, `lock:production`, `image:shop`,
    `schedule:nightly/eu` (`schedule:*`: all),
    `hook:deploy/ci`, `token:ci`, `login:octocat`, `config`. `job`, `run` and `repository` are those that it
    concerns, where it concerns any. `rule` names what decided, as the configuration or the token has it.
    `facts` are plain values without a secret, in which nothing is looked for.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_age", "at"),
        Index("journal_kind", "kind", "id"),
        Index("journal_person", "person", "id"),
        Index("journal_job", "job", "id"),
        Index("journal_run", "run", "id", **where("run IS NOT NULL")),
        Index("journal_refused", "job", "repository", "id", **_REFUSED),
        Index("journal_refused_person", "person", "at", **_REFUSED),
        {"sqlite_autoincrement": True},  # what was read up to a number is never followed by that number
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    at: float = Field(sa_type=Double)
    kind: str
    actor: str  # github:octocat, slack:U012AB3CD, token:ci, schedule
    person: str = ""  # by what that is known through every door; `record` fills it in
    cause: str | None = None  # through which door, of bot.states.Cause
    subject: str
    job: str | None = None
    run: int | None = Field(default=None, sa_type=Number)
    repository: str | None = None  # in small letters
    rule: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)

    @property
    def number(self) -> int:
        """By which a stored entry is named; what was recorded later has a higher one, but for other bots'."""
        return self.id or 0
