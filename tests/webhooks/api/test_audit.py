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


async def test_what_the_api_refuses_is_told_once_a_minute(home: House) -> None:
    async with served(home, "run:plain", "audit") as client:
        for _ in range(3):
            assert (await client.put("/api/jobs/other", json={})).status_code == 403
            assert (await client.post("/api/jobs/deploy/start")).status_code == 403
            assert (await client.post("/api/jobs/plain/start", json={"nothing": 1})).status_code == 422
        rows = (await client.get("/api/audit?kind=refused")).json()["entries"]
        assert [(each["actor"], each["subject"], each["job"], each["rule"]) for each in rows] == [
            ("token:ci", "POST /api/jobs/{name}/start", "deploy", "needs run:JOB"),
            ("token:ci", "PUT /api/jobs/{name}", "other", "needs admin"),
        ]
        home.now += 61
        assert (await client.put("/api/jobs/other", json={})).status_code == 403
        assert len((await client.get("/api/audit?kind=refused")).json()["entries"]) == 3
        assert (await client.get("/api/audit", headers={"authorization": "Bearer x"})).status_code == 401
        assert len((await client.get("/api/audit?kind=refused")).json()["entries"]) == 3


async def test_what_is_made_and_ended_by_admins_is_told_without_its_secret(home: House) -> None:
    secrets: list[str] = []
    async with served(home, "admin", name="boss") as client:
        secrets.append((await client.post("/api/tokens", json={"name": "new"})).json()["token"])
        secrets.append((await client.post("/api/hooks", json={"job": "plain", "name": "h"})).json()["token"])
        assert (await client.post("/login", data={"token": secrets[0]})).status_code == 403
        login = await client.post(
            "/login", data={"token": secrets[0]}, headers={"sec-fetch-site": "same-origin"}
        )
        secrets.append(login.headers["set-cookie"].split("=", 1)[1].split(";")[0])
        out = await client.post("/logout", headers={"sec-fetch-site": "same-origin"})
        assert out.status_code == 303
        assert (await client.delete("/api/hooks/plain/h")).status_code == 204
        assert (await client.delete("/api/tokens/new")).status_code == 204
        assert (await client.delete("/api/tokens/new")).status_code == 404
        job = {"command": "echo canary-of-a-command", "env": {"A": "canary-of-a-value"}}
        assert (await client.put("/api/jobs/made", json=job)).status_code == 201
        assert (await client.put("/api/jobs/made", json=job | {"keep": 7})).status_code == 200
        started = await client.post("/api/jobs/made/start")
        await client.post(f"/api/runs/{started.json()['number']}/cancel")
        assert (await client.delete(f"/api/runs/{started.json()['number']}")).status_code == 204
        assert (await client.delete("/api/jobs/made")).status_code == 204
        answer = await client.get("/api/audit?limit=100")
    rows = [each for each in answer.json()["entries"][::-1] if each["actor"] != "file"]
    by = "token:boss"
    assert [(each["kind"], each["actor"], each["subject"], each["rule"]) for each in rows] == [
        ("token.created", by, "token:new", "scope: admin"),
        ("hook.created", by, "hook:plain/h", "scope: admin"),
        ("login.begun", "token:new", "login:new", None),
        ("login.ended", "token:new", "login:new", None),
        ("hook.deleted", by, "hook:plain/h", "scope: admin"),
        ("token.revoked", by, "token:new", "scope: admin"),
        ("job.defined", by, "job:made", "scope: admin"),
        ("job.defined", by, "job:made", "scope: admin"),
        ("run.started", by, "run:1", "scope: admin"),
        ("run.finished", by, "run:1", None),
        ("run.cancelled", by, "run:1", "scope: admin"),
        ("run.removed", by, "run:1", "scope: admin"),
        ("job.removed", by, "job:made", "scope: admin"),
    ]
    assert rows[7]["facts"] == {"version": 2, "changed": ["keep"]}
    for secret in [*secrets, "canary"]:
        assert secret not in answer.text
