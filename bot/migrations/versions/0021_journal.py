"""The journal of who decided what, in which the database lets nobody change or remove a row that is young."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_YOUNG = 29 * 86400
"""Seconds: what is older may go, a day before the shortest `audit.keep`, since clocks differ."""

_ON_SQLITE = (
    "CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    "CREATE TRIGGER journal_is_kept BEFORE DELETE ON journal"
    f" WHEN OLD.at > CAST(strftime('%s', 'now') AS REAL) - {_YOUNG}"
    " BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
)
_ON_POSTGRESQL = (
    "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'DELETE' THEN"
    f" IF OLD.at <= extract(epoch FROM clock_timestamp()) - {_YOUNG} THEN RETURN OLD; END IF;"
    " END IF;"
    " RAISE EXCEPTION 'the journal is append-only'; END $$",
    "CREATE TRIGGER journal_rows BEFORE UPDATE OR DELETE ON journal"
    " FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
    "CREATE TRIGGER journal_whole BEFORE TRUNCATE ON journal"
    " FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()",
)
_INDEXES = {
    "journal_age": ["at"],
    "journal_kind": ["kind", "id"],
    "journal_person": ["person", "id"],
    "journal_job": ["job", "id"],
}
_PARTIAL = {
    "journal_run": (["run", "id"], "run IS NOT NULL"),
    "journal_refused": (["job", "repository", "id"], "kind = 'refused'"),
    "journal_refused_person": (["person", "at"], "kind = 'refused'"),
}


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("job", sa.String(), nullable=True),
        sa.Column("run", _NUMBER, nullable=True),
        sa.Column("repository", sa.String(), nullable=True),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "journal", columns)
    for name, (columns, condition) in _PARTIAL.items():
        only = sa.text(condition)
        op.create_index(name, "journal", columns, sqlite_where=only, postgresql_where=only)
    for statement in _ON_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _ON_SQLITE:
        op.execute(statement)
