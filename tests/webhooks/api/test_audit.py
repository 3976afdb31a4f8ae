"""The journal over the API: pages, JSON lines, followed, and for nobody but those who may read it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.states import EntryKind
from bot.store import journal, tokens
from bot.tables import JournalEntry
from tests.bot.house import House, house
from tests.webhooks.whole import served

DAY = 86400.0


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def _record(home: House, *subjects: str, **values: object) -> None:
    given = {"at": home.now, "kind": EntryKind.LOCKED, "actor": "github:Octocat"} | values
    rows = [JournalEntry(subject=subject, **given) for subject in subjects]  # type: ignore[arg-type]
    await home.write(lambda session: journal.record(session, rows))


def _lines(answer: httpx.Response) -> list[dict[str, object]]:
    assert answer.headers["content-type"] == "application/jsonl; charset=utf-8"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_pages_are_newest_first_and_lead_on(home: House) -> None:
    await _record(home, "lock:a", "lock:b", "lock:c", rule="github:permission/write", facts={"reason": "<b>"})
    async with served(home, "audit") as client:
        first = (await client.get("/api/audit?limit=2&kind=lock.closed")).json()
        assert [each["subject"] for each in first["entries"]] == ["lock:c", "lock:b"]
        assert first["entries"][0] | {"number": 0, "at": ""} == {
            "number": 0,
            "at": "",
            "kind": "lock.closed",
            "actor": "github:Octocat",
            "cause": None,
            "subject": "lock:c",
            "job": None,
            "run": None,
            "repository": None,
            "rule": "github:permission/write",
            "facts": {"reason": "<b>"},
        }
        older = (await client.get(first["next"].removeprefix("http://127.0.0.1"))).json()
        assert [each["subject"] for each in older["entries"]] == ["lock:a"]
        assert older["next"] is None


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("actor=octocat", ["lock:now", "lock:old"]),
        ("actor=github:OCTOCAT", ["lock:now", "lock:old"]),
        ("actor=slack:octocat", ["lock:now", "lock:old"]),
        ("actor=ci", ["job:ship"]),
        ("actor=nobody", []),
        ("job=ship", ["job:ship"]),
        ("run=7", ["job:ship"]),
        ("repository=ACME/Shop", ["job:ship"]),
        ("kind=lock.closed,tag.moved", ["job:ship", "lock:now", "lock:old"]),
        ("since=2d&kind=lock.closed", ["lock:now"]),
        ("until=2d&kind=lock.closed", ["lock:old"]),
        ("since=2001-01-01&until=2001-01-02", []),
        ("since=2999-01-01T00:00:00Z", []),
        ("actor=octocat&kind=tag.moved", []),
    ],
)
async def test_rows_are_chosen(home: House, query: str, subjects: list[str]) -> None:
    await _record(home, "lock:old", at=home.now - 9 * DAY)
    await _record(home, "lock:now")
    moved = {"actor": "token:ci", "job": "ship", "run": 7, "repository": "Acme/shop"}
    await _record(home, "job:ship", kind=EntryKind.TAG_MOVED, **moved)
    async with served(home, "audit") as client:
        page = (await client.get(f"/api/audit?{query}")).json()
        assert [each["subject"] for each in page["entries"]] == subjects
        lines = _lines(await client.get(f"/api/audit?{query}&format=jsonl"))
        assert [each["subject"] for each in lines] == subjects[::-1]


async def test_json_lines_are_all_there_is_oldest_first_in_parts(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.api.audit.BATCH", 3)
    await _record(home, *(f"lock:{number}" for number in range(10)))
    query = "/api/audit?kind=lock.closed"
    async with served(home, "audit") as client:
        found = _lines(await client.get(query, headers={"accept": "application/jsonl"}))
        assert [each["subject"] for each in found] == [f"lock:{number}" for number in range(10)]
        behind = _lines(await client.get(f"{query}&format=jsonl&after={found[7]['number']}"))
        assert behind == found[8:]
        assert _lines(await client.get(f"{query}&format=jsonl&limit=4")) == found[:4]
        json_page = await client.get(f"{query}&format=json", headers={"accept": "application/jsonl"})
        assert len(json_page.json()["entries"]) == 10


@pytest.mark.parametrize("shared", [False, True])
async def test_followed_rows_come_once_each_as_they_are_recorded(home: House, shared: bool) -> None:
    home.store.__class__ = type("Told", (type(home.store),), {"is_shared": shared})
    await _record(home, "lock:a", "lock:b")
    async with (
        served(home, "audit") as client,
        client.stream("GET", "/api/audit?follow=1&kind=lock.closed") as answer,
    ):
        lines = answer.aiter_lines()
        assert [json.loads(await anext(lines))["subject"] for _ in range(2)] == ["lock:a", "lock:b"]
        for name in ("lock:c", "lock:d"):
            await _record(home, name)
            assert json.loads(await anext(lines))["subject"] == name


@pytest.mark.parametrize("shown", ["", "?format=jsonl", "?follow=1"])
@pytest.mark.parametrize("scope", ["read", "run:*", "exec"])
async def test_nobody_else_reads_it(home: House, scope: str, shown: str) -> None:
    await _record(home, "lock:a")
    async with served(home, scope) as client:
        refused = await client.get(f"/api/audit{shown}")
        assert (refused.status_code, "`audit`" in refused.text) == (403, True)
        assert (await client.get(f"/api/audit{shown}", headers={"authorization": ""})).status_code == 401


async def test_scope_opens_nothing_else_and_admin_reads_as_well(home: House) -> None:
    async with served(home, "audit") as client:
        for path in ("/api/locks", "/api/tokens", "/api/jobs/plain"):
            assert (await client.get(path)).status_code == 403, path
        assert (await client.get("/api/runs")).json()["runs"] == []
        assert (await client.post("/api/jobs/plain/start")).status_code == 403
        assert (await client.post("/api/rerun")).status_code == 403
    async with served(home, "admin", name="boss") as client:
        assert (await client.get("/api/audit")).status_code == 200


async def test_stream_of_who_lost_the_right_ends(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.api.audit.LOOK_S", 0.01)
    async with served(home, "audit") as client, client.stream("GET", "/api/audit?follow=1") as answer:
        await home.write(lambda session: tokens.remove(session, name="ci"))
        async for _ in answer.aiter_lines():
            pass


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "until=2026-13-01",
        "kind=lock",
        "limit=0",
        "limit=1001",
        "after=1",
        "before=3&format=jsonl",
        "format=xml",
        "job=",
        "nothing=1",
        "since=1d&since=2d",
    ],
)
async def test_what_cannot_be_asked_is_told(home: House, query: str) -> None:
    async with served(home, "audit") as client:
        assert (await client.get(f"/api/audit?{query}")).status_code == 400, query
