import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from structlog.testing import capture_logs

from bot.errors import ConfigError, DatabaseAway, Refused, RetryLater
from bot.store import Session, Store, deliveries, runs, tokens
from bot.store.deliveries import ROWS
from bot.store.writer import GROUP
from bot.tables import Run, Token


async def _deliver(store: Store, key: str, body: bytes = b"{}") -> None:
    await store.add_delivery(
        key=key, source="github", event="push", media_type="application/json", body=body, now=1.0
    )


async def _keys(store: Store) -> list[str]:
    got = await store.write(
        lambda session: deliveries.claim(session, owner="k", now=5.0, lease=0, limit=9999)
    )
    return [delivery.key for delivery in got]


async def test_many_writes_at_once_all_arrive(store: Store) -> None:
    async def one(number: int) -> str:
        name, digest = f"token-{number}", str(number)
        token = await store.write(lambda session: tokens.add(session, name=name, hash=digest, now=1.0))
        return token.name

    names = await asyncio.gather(*(one(number) for number in range(200)))
    assert names == [f"token-{number}" for number in range(200)]
    assert len(await store.read(tokens.list)) == 200


async def test_many_deliveries_at_once_all_arrive_once(store: Store) -> None:
    sent = [f"github:{number}" for number in range(2 * ROWS + 7)]
    await asyncio.gather(*(_deliver(store, key) for key in [*sent, *sent]))
    assert sorted(await _keys(store)) == sorted(sent)


async def test_delivery_keeps_every_byte(store: Store) -> None:
    body = bytes(range(256)) * 40
    await _deliver(store, "github:1", body)
    (delivery,) = await store.write(lambda s: deliveries.claim(s, owner="k", now=5.0, lease=1, limit=1))
    assert (delivery.body, delivery.event, delivery.received_at) == (body, "push", 1.0)
    assert (delivery.state, delivery.attempts) == ("stored", 1)


async def test_failing_work_undoes_itself_and_nothing_else(store: Store) -> None:
    def fail(session: Session) -> None:
        tokens.add(session, name="bad", hash="bad", now=1.0)
        raise KeyError("mine")

    results = await asyncio.gather(
        store.write(lambda session: tokens.add(session, name="good", hash="good", now=1.0)),
        store.write(fail),
        _deliver(store, "github:1"),
        store.write(lambda session: tokens.add(session, name="good", hash="other", now=1.0)),
        store.write(lambda session: tokens.add(session, name="fine", hash="fine", now=1.0)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Token, KeyError, type(None), ValueError, Token]
    assert [token.name for token in await store.read(tokens.list)] == ["fine", "good"]
    assert await _keys(store) == ["github:1"]


async def test_delivery_that_the_database_refuses_fails_alone(store: Store) -> None:
    results = await asyncio.gather(
        _deliver(store, "github:1"),
        _deliver(store, None),  # type: ignore[arg-type]
        _deliver(store, "github:2"),
        return_exceptions=True,
    )
    assert [result is None for result in results] == [True, False, True]
    assert sorted(await _keys(store)) == ["github:1", "github:2"]


async def test_cancelled_writer_harms_nobody(store: Store) -> None:
    waiting = [asyncio.create_task(_deliver(store, f"github:{number}")) for number in range(40)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(result is None for result in results[1::2])
    await _deliver(store, "github:after")
    assert {f"github:{number}" for number in range(1, 40, 2)} <= set(await _keys(store))


async def test_more_work_than_one_group_takes_is_all_done(store: Store) -> None:
    async def one(number: int) -> None:
        await store.write(lambda session: tokens.add(session, name=f"t{number}", hash=f"{number}", now=1.0))

    await asyncio.gather(*(one(number) for number in range(GROUP + 44)))
    assert len(await store.read(tokens.list)) == GROUP + 44


async def test_bell_rings_after_the_commit_only(store: Store) -> None:
    assert not store.wakeup("deliveries").is_set()
    await _deliver(store, "github:1")
    assert store.wakeup("deliveries").is_set()

    def fail(session: Session) -> None:
        runs.enqueue(session, _run("k"), [], now=1.0, nonce="n")
        raise KeyError

    with pytest.raises(KeyError):
        await store.write(fail)
    assert not store.wakeup("runs").is_set()
    await store.write(lambda session: runs.enqueue(session, _run("k"), [], now=1.0, nonce="n"))
    assert store.wakeup("runs").is_set()


async def test_what_is_read_can_be_used_afterwards(store: Store) -> None:
    run, _ = await store.write(lambda s: runs.enqueue(s, _run("k"), [], now=1.0, nonce="n"))
    assert run.number is not None
    assert (run.state, run.tail, run.parameters) == ("waiting", [], {})
    (again,) = await store.read(runs.page)
    assert again.name == f"migrate-{run.number}-n"


async def test_readers_cannot_write(store: Store) -> None:
    with pytest.raises((RetryLater, DBAPIError)):
        await store.read(lambda session: tokens.add(session, name="a", hash="b", now=1.0))
    assert await store.read(tokens.list) == []


async def test_what_is_read_together_is_of_one_moment(store: Store) -> None:
    looked, written = threading.Event(), threading.Event()

    def look(session: Session) -> tuple[int, int]:
        first = len(tokens.list(session))
        looked.set()
        assert written.wait(30)
        return first, len(tokens.list(session))

    reading = asyncio.create_task(store.read(look))
    assert await asyncio.to_thread(looked.wait, 30)
    await store.write(lambda session: tokens.add(session, name="a", hash="b", now=1.0))
    written.set()
    assert await reading == (0, 0)
    assert len(await store.read(tokens.list)) == 1


async def test_closed_store_says_so(database_url: str) -> None:
    store = await Store.open(database_url, owner="one")
    await store.close()
    with pytest.raises(RuntimeError, match="closed"):
        await _deliver(store, "github:1")


async def test_close_commits_what_waits(database_url: str) -> None:
    store = await Store.open(database_url, owner="one")
    waiting = [asyncio.create_task(_deliver(store, f"github:{number}")) for number in range(10)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*waiting)
    async with await Store.open(database_url, owner="two") as again:
        assert len(await _keys(again)) == 10


async def test_second_bot_on_the_same_file_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'errand.db'}"
    async with await Store.open(url, owner="one") as first:
        with pytest.raises(Refused, match=r"Another Errand already runs on .*errand\.db"):
            await Store.open(url, owner="two")
        async with await Store.open(url, owner="cli", exclusive=False) as beside:
            await beside.write(lambda session: tokens.add(session, name="a", hash="b", now=1.0))
        assert [token.name for token in await first.read(tokens.list)] == ["a"]
    await (await Store.open(url, owner="two")).close()


async def test_next_bot_on_a_file_may_claim_at_once_what_a_dead_one_held(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'errand.db'}"
    async with await Store.open(url, owner="one") as first:
        await _deliver(first, "github:1")
        held = await first.write(lambda s: deliveries.claim(s, owner="one", now=1.0, lease=9999, limit=1))
        assert len(held) == 1
    async with await Store.open(url, owner="two") as second:
        assert await _keys(second) == ["github:1"]


async def test_database_and_its_log_are_for_the_owner_only(tmp_path: Path) -> None:
    async with await Store.open(f"sqlite:///{tmp_path / 'errand.db'}", owner="one") as store:
        await _deliver(store, "github:1")
        assert {stat.S_IMODE(os.stat(entry).st_mode) for entry in os.scandir(tmp_path)} == {0o600}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name", "nonsense"])
async def test_url_that_cannot_be_is_told(url: str) -> None:
    with pytest.raises(ConfigError, match="database: expected"):
        await Store.open(url, owner="one")


async def test_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no directory"):
        await Store.open(f"sqlite:///{tmp_path}/missing/errand.db", owner="one")


async def test_unreachable_server_is_for_the_retry_loop() -> None:
    with pytest.raises(RetryLater):
        await Store.open("postgresql://errand@127.0.0.1:1/errand", owner="one")


@pytest.mark.postgres
async def test_commits_survive_the_loss_of_the_connection(postgres_url: str) -> None:
    async with await Store.open(postgres_url, owner="one") as store:
        await _deliver(store, "github:1")
        async with await Store.open(postgres_url, owner="two") as other:
            await other.write(_end_other_connections)
        await _deliver(store, "github:2")
        assert sorted(await _keys(store)) == ["github:1", "github:2"]


@pytest.mark.postgres
async def test_all_who_wait_hear_at_once_that_the_database_is_away_and_it_may_come_back(
    postgres_url: str,
) -> None:
    name = postgres_url.rpartition("/")[2]
    async with await Store.open(postgres_url, owner="one") as store:
        async with await Store.open(postgres_url.replace(name, "postgres"), owner="admin") as admin:
            await admin.write(lambda session: _allow(session, name, allowed=False))
            with capture_logs() as lines:
                results = await asyncio.gather(
                    *(_deliver(store, f"github:{number}") for number in range(300)), return_exceptions=True
                )
                assert {type(result) for result in results} == {DatabaseAway}
                with pytest.raises(DatabaseAway):
                    await store.ping()
            assert _of_the_database(lines) == ["database.away"]
            await admin.write(lambda session: _allow(session, name, allowed=True))
        with capture_logs() as lines:
            await _deliver(store, "github:1")
            await store.ping()
        assert _of_the_database(lines) == ["database.back"]
        assert await _keys(store) == ["github:1"]


def _of_the_database(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    return [line["event"] for line in lines if line["event"].startswith("database.")]


async def test_disk_that_takes_nothing_is_away_until_something_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answers in between mean nothing: a full disk can be read."""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def fail(session: Session) -> None:
        raise OperationalError("", {}, full)

    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(DatabaseAway):
                await store.write(fail)
            await store.ping()
        await store.write(lambda session: None)
    assert _of_the_database(lines) == ["database.away", "database.back"]


def _allow(session: Session, name: str, *, allowed: bool) -> None:
    session.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}"))
    session.execute(
        text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
    )


def _end_other_connections(session: Session) -> None:
    session.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    )


_WRITES = """
import asyncio, sys
from bot.store import Store

async def main():
    store = await Store.open(sys.argv[1], owner="one")
    async def sender(name):
        for number in range(10**6):
            key = f"github:{name}-{number}"
            await store.add_delivery(
                key=key, source="github", event="push", media_type="text/plain", body=b"x" * 3000, now=1.0
            )
            print(key, flush=True)
    await asyncio.gather(*(sender(name) for name in range(16)))

asyncio.run(main())
"""


def test_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    database = tmp_path / "errand.db"
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITES, f"sqlite:///{database}"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    told = [process.stdout.readline().strip() for _ in range(700)]
    os.kill(process.pid, signal.SIGKILL)
    told += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    process.wait()
    connection = sqlite3.connect(database)
    kept = {key for (key,) in connection.execute("SELECT key FROM deliveries")}
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert len(told) >= 700
    assert set(told) <= kept


def _run(key: str) -> Run:
    return Run(key=key, name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0)


@pytest.mark.postgres
async def test_second_bot_that_must_be_alone_is_refused_until_the_first_has_ended(postgres_url: str) -> None:
    async with await Store.open(postgres_url, owner="one") as one:
        await one.be_the_only_one()
        async with await Store.open(postgres_url, owner="two") as two:
            with pytest.raises(Refused, match="only be found"):
                await two.be_the_only_one()
    async with await Store.open(postgres_url, owner="three") as three:
        await three.be_the_only_one()


async def test_damaged_database_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "errand.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(Refused, match="damaged"):
        await Store.open(f"sqlite:///{tmp_path}/errand.db", owner="one")
