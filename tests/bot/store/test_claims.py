import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.store import Session, Store, builds, deliveries, posts, results, runs
from bot.store.databases import Database


@pytest.mark.postgres
async def test_two_bots_never_get_the_same_row(postgres_url: str) -> None:
    async with (
        await Store.open(postgres_url, owner="one") as one,
        await Store.open(postgres_url, owner="two") as two,
    ):
        await asyncio.gather(
            *(
                one.add_delivery(key=f"k{n}", source="s", event="e", media_type="m", body=b"", now=1.0)
                for n in range(300)
            )
        )
        got: list[int] = []

        async def take(store: Store) -> None:
            while rows := await store.write(
                lambda s: deliveries.claim(s, owner=store.owner, now=2.0, lease=60.0, limit=7)
            ):
                got.extend(row.identity for row in rows)

        await asyncio.gather(*(take(store) for store in (one, two, one, two)))
        assert len(got) == 300
        assert len(set(got)) == 300


@pytest.mark.parametrize(
    ("noun", "index"),
    [(deliveries, "deliveries_open"), (builds, "builds_open"), (runs, "runs_open"), (posts, "posts_open")],
)
async def test_claims_use_their_index(store: Store, database_url: str, noun: Any, index: str) -> None:
    plan = _plan(database_url, lambda session: noun.claim(session, owner="one", now=1.0, lease=1.0, limit=1))
    assert index in plan


async def test_runs_of_a_result_are_found_by_their_index(store: Store, database_url: str) -> None:
    plan = _plan(database_url, lambda session: results.page(session, ["failed", "error"], before=7))
    assert plan.count("runs_result") == 2
    assert "SCAN runs" not in plan


def _plan(database_url: str, ask: Callable[[Session], object]) -> str:
    """How the database goes about the last statement of `ask`."""
    database = Database.at(database_url)
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.writer, "before_cursor_execute", listen)
    try:
        with Session(database.writer) as session:
            if database.path is None:
                session.execute(
                    text("SET LOCAL enable_seqscan = off")
                )  # empty tables are read whole otherwise
            else:
                driver: Any = session.connection().connection.driver_connection
                driver.set_trace_callback(lambda statement: asked.append((statement, ())))
            ask(session)
            statement, parameters = asked[-1]
            explain = "EXPLAIN QUERY PLAN " if database.path else "EXPLAIN "
            return str(session.connection().exec_driver_sql(explain + statement, parameters).all())
    finally:
        database.close()
