"""Who comes over HTTP: tokens, logins and hooks, and the requests that they may repeat."""

from sqlalchemy import JSON, Double, Index
from sqlmodel import Field, SQLModel

from bot.tables.types import Number


class Token(SQLModel, table=True):
    """An API token: only the SHA-256 of its text is kept."""

    __tablename__ = "tokens"

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    name: str = Field(unique=True)
    hash: str = Field(unique=True)
    created_at: float = Field(sa_type=Double)
    last_used_at: float | None = Field(default=None, sa_type=Double)
    scopes: list[str] = Field(default_factory=lambda: ["read"], sa_type=JSON)  # as in `bot.access.scopes`
    expires_at: float | None = Field(default=None, sa_type=Double)  # None: until it is deleted


class EndedSession(SQLModel, table=True):
    """A login that was ended before its time, by the SHA-256 of its cookie; kept until that time."""

    __tablename__ = "ended_sessions"
    __table_args__ = (Index("ended_sessions_age", "expires_at"),)

    hash: str = Field(primary_key=True)
    expires_at: float = Field(sa_type=Double)


class PersonSession(SQLModel, table=True):
    """A login of a person with GitHub, by the SHA-256 of its cookie; there until it ends."""

    __tablename__ = "person_sessions"
    __table_args__ = (Index("person_sessions_age", "expires_at"), Index("person_sessions_login", "login"))

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    hash: str = Field(unique=True)
    login: str
    created_at: float = Field(sa_type=Double)
    expires_at: float = Field(sa_type=Double)
    address: str | None = None  # from where, as the request said it
    agent: str | None = None  # with what, as the request said it

    @property
    def number(self) -> int:
        """By which people name it."""
        return self.id or 0


class Hook(SQLModel, table=True):
    """A deploy hook: whoever has its token may start this one job; only the SHA-256 of the text is kept."""

    __tablename__ = "hooks"
    __table_args__ = (Index("hooks_job", "job", "name", unique=True),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    job: str
    name: str
    hash: str = Field(unique=True)
    created_at: float = Field(sa_type=Double)
    created_by: str  # token:NAME
    last_used_at: float | None = Field(default=None, sa_type=Double)
    last_used_by: str | None = None  # address and program, as the request said them


class Idempotency(SQLModel, table=True):
    """A request that is answered the same if it comes again: what it said, and the run it became."""

    __tablename__ = "idempotency"
    __table_args__ = (
        Index("idempotency_key", "caller", "key", unique=True),
        Index("idempotency_age", "created_at"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Number)
    caller: str  # token:NAME, hook:JOB/NAME, actions:..., slack:MEMBER, slack-workspace:TEAM
    key: str
    fingerprint: str  # SHA-256 of what was asked for
    run_number: int | None = Field(default=None, sa_type=Number)
    created_at: float = Field(sa_type=Double)
