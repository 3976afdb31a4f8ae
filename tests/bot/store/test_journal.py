"""The journal: added to in the transaction of what it tells of, and nothing else is done to it."""

import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, text, update
from sqlalchemy.exc import DBAPIError

from bot.states import Cause, EntryKind
from bot.store import Session, Store, journal
from bot.store.columns import JOURNAL
from bot.store.journal import Selection
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
    assert len(kept.facts["long"]) == journal.LONGEST_TEXT
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


async def test_refusals_are_told_up_to_a_bound_for_each_person_and_for_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "MOST_REFUSED_OF_ONE", 3)
    monkeypatch.setattr(journal, "MOST_REFUSED", 5)

    async def refuse(who: str, at: float) -> None:
        row = _entry(at, kind=EntryKind.REFUSED, actor=who, job="ship", repository="Acme/Shop")
        await store.write(lambda session: journal.refuse(session, [row]))

    await store.write(lambda s: journal.record(s, [_entry(DAY)]))
    for number in range(6):
        await refuse("github:Eve", DAY + number)
    for number in range(6):
        await refuse(f"github:eve{number}", DAY + number)
    rows = (await _all(store))[-2::-1]
    assert [(row.person, row.facts) for row in rows] == [
        ("github:eve", {}),
        ("github:eve", {}),
        ("github:eve", {"unlisted": True}),
        ("github:eve0", {}),
        ("github:eve1", {"unlisted": True}),
    ]
    await refuse("github:EVE", 3 * DAY)
    assert (await _all(store))[0].facts == {}
    mine = await store.read(lambda s: journal.refusals(s, job="ship", repository="acme/SHOP", limit=2))
    assert [row.at for row in mine] == [3 * DAY, DAY + 1]
    assert await store.read(lambda s: journal.refusals(s, job="ship", repository="acme/site", limit=2)) == []


async def test_questions_are_answered_by_indexes_in_order(tmp_path: Path) -> None:
    """By those that give the rows as they are shown: nothing is sorted, and little is read."""
    seen: list[tuple[str, Any]] = []
    async with await Store.open(f"sqlite:///{tmp_path}/errand.db", owner="one") as store:
        rows = [_entry(float(at), actor="github:a", job="ship", run=at) for at in range(1, 30)]
        await store.write(lambda s: journal.record(s, rows))

        def note(_: object, __: object, statement: str, parameters: Any, *more: object) -> None:
            seen.append((statement, parameters))

        event.listen(Engine, "before_cursor_execute", note)
        try:
            for which in (
                Selection(),
                Selection(actor="a"),
                Selection(job="ship"),
                Selection(kinds=("lock.closed", "refused")),
                Selection(run=3),
                Selection(since=5.0, until=20.0),
                Selection(actor="github:a", job="ship", kinds=("refused",), since=1.0),
            ):
                await store.read(lambda s, which=which: journal.newest(s, which, limit=9, before=99))  # type: ignore[misc]
                await store.read(lambda s, which=which: journal.following(s, which, after=1, limit=9))  # type: ignore[misc]
            refused = _entry(31.0, kind=EntryKind.REFUSED, job="ship", repository="a/b")
            await store.write(lambda s: journal.refuse(s, [refused]))
            await store.read(lambda s: journal.refusals(s, job="ship", repository="a/b", limit=5))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        for statement, parameters in [each for each in seen if each[0].startswith("SELECT")]:
            plan = await store.read(
                lambda s, asked=(statement, parameters): str(  # type: ignore[misc]
                    s.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1]).all()
                )
            )
            assert "TEMP B-TREE" not in plan, statement
            assert "SCAN journal" not in plan.replace("SCAN journal USING INDEX journal_age", ""), statement
