"""The journal: added to in the transaction of what it tells of, and nothing else is done to it."""

import time
from typing import Any

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from bot.states import Cause, EntryKind
from bot.store import Session, Store, journal
from bot.store.columns import JOURNAL
from bot.store.watchers import JOURNAL as ENTRIES
from bot.tables import JournalEntry

DAY = 86400.0


def _entry(at: float = 1.0, **values: Any) -> JournalEntry:
    given: dict[str, Any] = {
        "actor": "github:Octocat",
        "subject": "lock:production",
        "kind": EntryKind.LOCKED,
    } | values
    return JournalEntry(at=at, **given)


async def _all(store: Store) -> list[JournalEntry]:
    return list(await store.read(lambda session: journal.newest(session, limit=100)))


async def test_entries_are_kept_in_order_with_all_they_say(store: Store) -> None:
    told = _entry(
        cause=Cause.COMMENT,
        job="migrate",
        run=7,
        repository="Acme/Shop",
        rule="github:permission/write",
        facts={"reason": "a freeze", "until": 5.0, "places": ["a", "b"], "sure": True, "none": None},
    )
    await store.write(lambda session: journal.record(session, [told, _entry(2.0, actor="schedule")]))
    second, first = await _all(store)
    assert (first.number, first.kind, first.actor) == (1, "lock.closed", "github:Octocat")
    assert (first.person, first.cause, first.repository) == ("github:octocat", "comment", "acme/shop")
    assert (first.job, first.run, first.rule) == ("migrate", 7, "github:permission/write")
    assert first.facts == told.facts
    assert (second.at, second.actor, second.facts) == (2.0, "schedule", {})


async def test_entry_shares_the_fate_of_its_transaction(store: Store) -> None:
    def work(session: Session) -> None:
        journal.record(session, [_entry()])
        raise LookupError("no")

    with pytest.raises(LookupError):
        await store.write(work)
    assert await _all(store) == []


async def test_secrets_are_masked_and_texts_are_cut(store: Store) -> None:
    canary = "ghp_" + "c" * 36
    entry = _entry(
        subject=f"lock:{canary}",
        rule=f"by {canary}",
        facts={
            "reason": f"use {canary}",
            "parameters": {"DB_PASSWORD": "hunter2", "REGION": "eu", "URL": "https://a:hunter2@b"},
            "long": "x" * 5000,
            "many": list(range(5000)),
            "deep": {"a": {"b": {"c": {"d": "e"}}}},
        },
    )
    await store.write(lambda session: journal.record(session, [entry]))
    (kept,) = await _all(store)
    assert canary not in str(kept.model_dump())
    assert "hunter2" not in str(kept.model_dump())
    assert kept.facts["parameters"] == {"DB_PASSWORD": "***", "REGION": "eu", "URL": "https://***@b"}
    assert len(kept.facts["long"]) == journal.LONGEST
    assert len(kept.facts["many"]) == journal.MOST
    assert kept.facts["deep"] == {"a": {"b": {"c": {}}}}


async def test_database_lets_nobody_change_an_entry_or_remove_a_young_one(store: Store) -> None:
    now = time.time()
    await store.write(lambda s: journal.record(s, [_entry(now - 400 * DAY), _entry(now - 20 * DAY)]))
    for statement in (
        update(JournalEntry).values(actor="nobody"),
        delete(JournalEntry).where(JOURNAL.at > now - 30 * DAY),
        text("UPDATE journal SET at = 0"),
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            await store.write(lambda s, statement=statement: s.execute(statement))  # type: ignore[misc]
    gone = await store.write(lambda s: journal.prune(s, before=now - 30 * DAY, limit=10))
    assert gone == 1
    assert [entry.actor for entry in await _all(store)] == ["github:Octocat"]


async def test_number_is_never_given_twice(store: Store) -> None:
    await store.write(lambda s: journal.record(s, [_entry(1.0), _entry(2.0)]))
    assert await store.write(lambda s: journal.prune(s, before=3.0, limit=10)) == 2
    await store.write(lambda s: journal.record(s, [_entry(4.0)]))
    assert [entry.number for entry in await _all(store)] == [3]


async def test_who_watches_the_journal_is_woken(store: Store) -> None:
    with store.changes.listen(ENTRIES) as listener:
        await store.write(lambda s: journal.record(s, [_entry()]))
        await listener.wait()
