"""What pushes decided per image, and who was not allowed to start a job: rows, where notes were read.

What notes say of the newest deliveries is carried over, so that `why` goes on to know it.
"""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_NEWEST = 2000
"""Deliveries whose notes are read: as many as `why` looked at."""

_PUSH = re.compile(r"push of (\S+)@(\S+) [0-9a-f]{12}: ")
_IMAGE = re.compile(r"image (\S+): (built|not built): (.*)")
_UNSTARTED = re.compile(r"job (\S+): not started: (.*)")
_REFUSED = re.compile(r"job (\S+) of (\S+): refused (\S+): (.*)")
_LATE = {"a newer push was decided first": "older", "this push was decided before": "repeated"}

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    verdicts = op.create_table(
        "push_verdicts",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("delivery_id", _NUMBER, nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("pushed_at", sa.Double(), nullable=True),
        sa.Column("image", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("unstarted", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("push_verdicts_delivery", "push_verdicts", ["delivery_id"], unique=False)
    op.create_index(
        "push_verdicts_ref", "push_verdicts", ["repository", "ref", "image", "verdict", "id"], unique=False
    )
    op.create_index("push_verdicts_image", "push_verdicts", ["image", "repository", "id"], unique=False)
    op.create_index("push_verdicts_age", "push_verdicts", ["received_at"], unique=False)
    refusals = op.create_table(
        "command_refusals",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("delivery_id", _NUMBER, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("repository", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("command_refusals_job", "command_refusals", ["job", "repository", "id"], unique=False)
    op.create_index("command_refusals_age", "command_refusals", ["received_at"], unique=False)
    for note in op.get_bind().execute(sa.text(_NOTES), {"newest": _NEWEST}).mappings().all():
        first, *lines = note["note"].split("\n")
        common = {"delivery_id": note["id"], "received_at": note["received_at"]}
        if (push := _PUSH.match(first)) is not None and (rows := _verdicts(note, push, lines)):
            op.bulk_insert(verdicts, [common | row for row in rows])
        refused = [_refusal(found) for line in lines if (found := _REFUSED.fullmatch(line))]
        op.bulk_insert(refusals, [common | row for row in refused])


_NOTES = """
    SELECT d.id, d.note, d.received_at, p.repository, p.before, p.after, p.pushed_at
    FROM deliveries d LEFT JOIN pushes p ON p.delivery_id = d.id
    WHERE d.id > (SELECT COALESCE(MAX(id), 0) - :newest FROM deliveries)
    AND d.state <> 'stored' AND d.note IS NOT NULL ORDER BY d.id
"""


def _verdicts(note: Any, push: re.Match[str], lines: list[str]) -> list[dict[str, Any]]:
    repository, ref = push.groups()
    unstarted = [found.groups() for line in lines if (found := _UNSTARTED.fullmatch(line))]
    common = {
        "repository": note["repository"] or repository.casefold(),
        "ref": f"refs/{ref}" if ref.startswith("tags/") else f"refs/heads/{ref}",
        "before": note["before"] or "",
        "after": note["after"] or "",
        "pushed_at": note["pushed_at"],
        "unstarted": {job: _answer(why) for job, why in unstarted},
    }
    images = [found.groups() for line in lines if (found := _IMAGE.fullmatch(line))]
    return [
        common
        | {
            "image": image,
            "verdict": _LATE.get(why, "built" if became == "built" else "filtered"),
            "reason": _answer(why),
        }
        for image, became, why in images
    ]


def _refusal(found: re.Match[str]) -> dict[str, Any]:
    job, repository, actor, sentence = found.groups()
    return {"job": job, "repository": repository.casefold(), "actor": actor, "reason": _answer(sentence)}


def _answer(text: str) -> dict[str, str]:
    return {"kind": "answer", "text": text}
