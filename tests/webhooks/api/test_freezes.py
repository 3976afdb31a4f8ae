"""Freezes over the API and by commands: begun, listed, run into, overridden, ended; each by who may."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from terminal.app import cli
from tests.bot.house import House, house
from tests.webhooks.whole import served

JOBS = 'ship: {command: "true", lock: prod}'
CHRISTMAS = {
    "from": "2030-12-23T18:00",
    "until": "2031-01-02T08:00",
    "why": "Christmas",
    "environments": ["production"],
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    changes = {"freeze": [CHRISTMAS], "override": ["token:ci"]}
    async with house(tmp_path, changes=changes, jobs=JOBS) as made:
        yield made


@pytest.fixture
async def client(home: House) -> AsyncIterator[httpx.AsyncClient]:
    async with served(home, "admin") as made:
        yield made


async def test_freeze_is_begun_run_into_overridden_and_ended(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/freezes", json={"lock": "prod", "why": "fire", "duration": "2h"})
    assert made.status_code == 201
    assert (made.json()["freeze"]["locks"], made.json()["freeze"]["on"]) == (["prod"], True)
    listed = (await client.get("/api/freezes")).json()["freezes"]
    assert [(each["actor"], each["why"], each["on"]) for each in listed] == [
        ("token:ci", "fire", True),
        (None, "Christmas", False),
    ]
    refused = await client.post("/api/jobs/ship/start", json={})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:errand:problem:frozen")
    started = await client.post("/api/jobs/ship/start", json={"override": "customers"})
    assert (started.status_code, started.json()["override"]) == (201, "customers")
    assert (await client.delete("/api/freezes", params={"job": "ship"})).status_code == 404
    assert (await client.delete("/api/freezes", params={"lock": "prod"})).status_code == 200
    assert (await client.post("/api/jobs/ship/start", json={})).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"until": "2031-01-01", "duration": "1h"}, 422),
        ({"duration": "soon"}, 422),
        ({"why": "a\nb"}, 422),
        ({"jobs": ["ship"]}, 422),
        ({"until": "2001-01-01"}, 422),
        ({"job": "ghost"}, 409),
    ],
)
async def test_what_is_none_is_told(client: httpx.AsyncClient, body: dict[str, object], status: int) -> None:
    assert (await client.post("/api/freezes", json=body)).status_code == status


async def test_token_freezes_only_what_it_may_run(home: House) -> None:
    async with served(home, "run:check", name="weak") as weak:
        assert (await weak.get("/api/freezes")).status_code == 403
        assert (await weak.post("/api/freezes", json={"job": "ship"})).status_code == 409
        assert (await weak.post("/api/freezes", json={"job": "check"})).status_code == 201


async def test_commands_freeze_list_and_thaw(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERRAND_URL", str(client.base_url).rstrip("/"))
    monkeypatch.setenv("ERRAND_TOKEN", client.headers["authorization"].removeprefix("Bearer "))

    async def types(*words: str) -> str:
        done = await asyncio.to_thread(lambda: CliRunner().invoke(cli, list(words)))
        return done.output + str(done.exception or "")

    assert "Everything is frozen until" in await types("freeze", "year end", "for", "2h")
    table = await types("freezes")
    for words in ("everything", "year end", "environment production", "app.yaml", "Christmas"):
        assert words in table
    assert "everything is frozen" in await types("run", "ship")
    assert "is on its way" in await types("run", "ship", "--override", "customers")
    assert "Everything is not frozen any more" in await types("thaw")
    assert "not frozen by anybody" in await types("thaw")
