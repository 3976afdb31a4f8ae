"""Who was not allowed to start a job stands in the journal, as every refusal does, and nowhere else."""

from alembic import op

revision = "0030"
down_revision = "0029"

unused_since = "0.1.0"
"""No release has used the table."""

_FACTS = {
    "postgresql": "CAST('{\"reason\": ' || CAST(reason AS text) || '}' AS json)",
    "sqlite": "'{\"reason\": ' || reason || '}'",
}


def upgrade() -> None:
    database = op.get_bind()
    database.exec_driver_sql(
        # Nothing here comes from outside.
        "INSERT INTO journal (at, kind, actor, person, subject, job, repository, rule, facts)"  # noqa: S608
        " SELECT received_at, 'refused', actor,"
        " CASE WHEN substr(actor, 1, 7) = 'github:' THEN lower(actor) ELSE actor END,"
        f" 'job:' || job, job, repository, 'not allowed', {_FACTS[database.dialect.name]}"
        " FROM command_refusals ORDER BY id"
    )
    op.drop_table("command_refusals")
