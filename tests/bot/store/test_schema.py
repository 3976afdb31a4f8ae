import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import select, text
from sqlmodel import SQLModel

import bot
from bot.errors import Refused
from bot.messages.verdicts import push_line, reason, unstarted_lines
from bot.store import Store, journal, push_verdicts, runs, schema, tokens
from bot.store.databases import Database
from bot.store.schema import RELEASE
from tests.bot.migrations.released import releases


def _script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(bot.__file__).parent / "migrations"))
    return ScriptDirectory.from_config(config)


def test_head_is_the_newest_migration_and_numbers_only_grow() -> None:
    revisions = [revision.revision for revision in _script().walk_revisions()]
    assert revisions[0] == schema.HEAD
    assert revisions == sorted(revisions, reverse=True)
    assert all(len(revision) == 4 and revision.isdigit() for revision in revisions)


async def test_migrations_make_what_the_tables_say(empty_database_url: str) -> None:
    await (await Store.open(empty_database_url, owner="one")).close()
    database = Database.at(empty_database_url)
    try:
        with database.reader.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            found = compare_metadata(context, SQLModel.metadata)
            assert [change for change in found if not _is_for_the_version_before(change)] == []
    finally:
        database.close()


def _is_for_the_version_before(change: tuple[Any, ...]) -> bool:
    """Whether a column without a model is still used by the last release, and harms no row without it."""
    if change[0] != "remove_column":
        return False
    _, _, table, column = change
    used = releases()[-1].tables.get(table)
    return used is not None and column.name in used.c and (column.nullable or column.server_default)


async def test_runs_of_the_version_before_are_kept(empty_database_url: str) -> None:
    database = Database.at(empty_database_url)
    with database.writer.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(bot.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        no = "FALSE" if connection.dialect.name == "postgresql" else "0"
        connection.exec_driver_sql(
            "INSERT INTO runs (attempts, due_at, lease_until, key, name, job, definition, parameters,"
            " arguments, public, cause, actor, state, tail, created_at, image, digest) VALUES (0, 0, 0,"
            f" 'k', 'n', 'j', '{{}}', '{{}}', '[]', {no}, 'comment', 'a', 'finished', '[]', 1,"
            " 'shop', 'tree:1')"
        )
    database.close()
    async with await Store.open(empty_database_url, owner="one") as store:
        kept = await store.read(lambda session: runs.get(session, 1))
    assert kept is not None
    assert (kept.image, kept.digest, kept.image_definition) == ("shop", "tree:1", None)


async def test_what_notes_said_of_pushes_and_refused_commands_is_kept_as_rows(
    empty_database_url: str,
) -> None:
    database = Database.at(empty_database_url)
    notes = [
        f"push of Acme/Shop@tags/v1 {'a' * 12}: rebuilds shop\nimage shop: built: the tag `v1` fits `v*`\n"
        "image docs: not built: it names no `tags`\njob check: not started: `check` needs WHO",
        f"push of Acme/Shop@main {'b' * 12}: rebuilds nothing any more\n"
        "image shop: not built: a newer push was decided first",
        "github:reader asks for run\njob check of Acme/Shop: refused github:reader: Sorry: no.",
        "no command in the comment",
    ]
    with database.writer.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(bot.__file__).parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "0009")
        for number, note in enumerate(notes, 1):
            connection.execute(
                text(
                    "INSERT INTO deliveries (attempts, due_at, lease_until, key, source, event, media_type,"
                    " body, received_at, state, note)"
                    " VALUES (0, 0, 0, :key, 'github', 'x', 'x', :body, :at, 'handled', :note)"
                ),
                {"key": str(number), "body": b"", "at": float(number), "note": note},
            )
        connection.exec_driver_sql(
            "INSERT INTO pushes (repository, ref, before, after, pushed_at, delivery_id, decided_at)"
            " VALUES ('7', 'refs/tags/v1', 'x', 'y', 5, 1, 1)"
        )
    database.close()
    async with await Store.open(empty_database_url, owner="one") as store:
        known = ["acme/shop", "7"]
        shop, docs = [
            await store.read(
                lambda s, image=image: list(  # type: ignore[misc]
                    push_verdicts.newest(s, repositories=known, image=image, limit=9)
                )
            )
            for image in ("shop", "docs")
        ]
        (refusal,) = await store.read(
            lambda s: journal.refusals(s, job="check", repository="Acme/Shop", limit=9)
        )
    assert [(row.ref, row.verdict, row.pushed_at) for row in shop] == [
        ("refs/heads/main", "older", None),
        ("refs/tags/v1", "built", 5.0),
    ]
    assert push_line(shop[1]) == "image shop: built: the tag `v1` fits `v*`"
    assert unstarted_lines(shop[1], "check") == ["job check: not started: `check` needs WHO"]
    assert [push_line(row) for row in docs] == ["image docs: not built: it names no `tags`"]
    assert (refusal.actor, reason(refusal.facts["reason"]), refusal.at) == (
        "github:reader",
        "Sorry: no.",
        3.0,
    )


async def newer(url: str, *statements: str) -> None:
    """Leave a database as a version of later does that took away what others may use."""
    await (await Store.open(url, owner="one")).close()
    database = Database.at(url)
    with database.writer.begin() as connection:
        for statement in ("UPDATE alembic_version SET version_num = '9999'", *statements):
            connection.exec_driver_sql(statement)
    database.close()


@pytest.mark.parametrize(
    "statements",
    [
        ["DELETE FROM schema_floor"],
        ["DELETE FROM schema_floor", f"INSERT INTO schema_floor VALUES ('{RELEASE}')"],
    ],
)
async def test_bot_starts_on_a_newer_schema_that_has_all_that_it_uses(
    empty_database_url: str, statements: list[str]
) -> None:
    await newer(
        empty_database_url, "ALTER TABLE tokens ADD COLUMN team VARCHAR DEFAULT 'all' NOT NULL", *statements
    )
    async with await Store.open(empty_database_url, owner="one") as store:
        await store.write(lambda s: tokens.add(s, name="ci", hash="h", now=1.0))
        assert [token.name for token in await store.read(tokens.list)] == ["ci"]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO schema_floor VALUES ('99.0.0')",
        "DROP TABLE schema_floor",
        "INSERT INTO schema_floor VALUES ('of a form that nobody knows')",
    ],
)
async def test_bot_does_not_start_on_a_schema_that_may_lack_what_it_uses(
    empty_database_url: str, statement: str
) -> None:
    await newer(empty_database_url, statement)
    with pytest.raises(Refused, match="newer Errand"):
        await Store.open(empty_database_url, owner="one")


async def test_what_is_taken_away_is_noted_with_the_release_that_did_without(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {"0003": "0.2.0", "0005": "0.10.0", "0009": "0.9.1"}
    original = ScriptDirectory.walk_revisions

    def walk(scripts: ScriptDirectory, *arguments: Any, **more: Any) -> Iterator[Script]:
        for script in original(scripts, *arguments, **more):
            if script.revision in modules:
                monkeypatch.setattr(script.module, "unused_since", modules[script.revision], raising=False)
            yield script

    monkeypatch.setattr(ScriptDirectory, "walk_revisions", walk)
    async with await Store.open(empty_database_url, owner="one") as store:
        floors = await store.read(lambda s: s.scalars(select(schema.FLOOR.c.version)).all())
    assert floors == ["0.10.0"]


@pytest.mark.postgres
async def test_two_bots_may_start_on_an_empty_database_at_once(empty_postgres_url: str) -> None:
    stores = await asyncio.gather(*(Store.open(empty_postgres_url, owner=f"bot-{n}") for n in range(4)))
    for store in stores:
        await store.close()
