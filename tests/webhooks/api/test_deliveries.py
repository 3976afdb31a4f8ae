"""Deliveries that were given up: admins see why, and have one decided anew; API, page and command."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.store import Session, deliveries, journal
from terminal import deliveries as commands
from terminal.app import cli
from tests.bot.house import House, house
from tests.webhooks.whole import served


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


async def _give_up(home: House, *keys: str) -> None:
    """Deliveries of these keys came in, and failed."""
    for key in keys:
        await home.store.add_delivery(
            key=key, source="github", event="push", media_type="m", body=b"{}", now=home.now
        )

    def fail(session: Session) -> None:
        for row in deliveries.claim(session, owner="one", now=home.now, lease=9.0, limit=9):
            deliveries.settle(session, row.identity, owner="one", state="failed", note=f"why <{row.key}>")

    await home.write(fail)


async def test_given_up_are_listed_page_by_page_and_tried_again(home: House) -> None:
    await _give_up(home, "github:a", "github:b", "github:c")
    async with served(home, "admin") as client:
        listed = (await client.get("/api/deliveries?limit=2")).json()
        assert [each["key"] for each in listed["deliveries"]] == ["github:c", "github:b"]
        older = (await client.get(listed["next"].removeprefix("http://127.0.0.1"))).json()
        assert [each["key"] for each in older["deliveries"]] == ["github:a"]
        assert (older["next"], older["deliveries"][0]["note"]) == (None, "why <github:a>")
        number = older["deliveries"][0]["number"]
        assert (await client.post(f"/api/deliveries/{number}/retry")).status_code == 204
        again = await client.post(f"/api/deliveries/{number}/retry")
        assert (again.status_code, again.json()["type"]) == (404, "urn:errand:problem:no-such-delivery")
        assert len((await client.get("/api/deliveries")).json()["deliveries"]) == 2
    (claimed,) = await home.write(
        lambda s: deliveries.claim(s, owner="two", now=home.now, lease=9.0, limit=9)
    )
    assert (claimed.key, claimed.attempts, claimed.note) == ("github:a", 1, None)


@pytest.mark.parametrize("scope", ["read", "run:*", "exec"])
async def test_only_an_admin_sees_and_tries_them(home: House, scope: str) -> None:
    await _give_up(home, "github:a")
    async with served(home, scope) as client:
        assert (await client.get("/api/deliveries")).status_code == 403
        assert (await client.post("/api/deliveries/1/retry")).status_code == 403
        assert (await client.get("/deliveries")).status_code == 403
        refused = await client.post("/deliveries/1/retry")
        assert (refused.status_code, 'href="/deliveries">Back' in refused.text) == (409, True)
    assert len(await home.store.read(lambda s: deliveries.given_up(s, limit=9))) == 1


async def test_page_shows_them_escaped_with_a_button_that_tries_them_again(home: House) -> None:
    await _give_up(home, "github:a")
    async with served(home, "admin") as client:
        page = (await client.get("/deliveries")).text
        assert 'href="/deliveries"' in (await client.get("/")).text
        assert "why &lt;github:a&gt;" in page
        assert 'action="/deliveries/1/retry"' in page
        for _ in range(2):  # as by somebody who presses it twice
            answer = await client.post("/deliveries/1/retry")
            assert (answer.status_code, answer.headers["location"]) == (303, "/deliveries")
        assert "Nothing was given up." in (await client.get("/deliveries")).text
    told = await home.store.read(lambda s: journal.newest(s, journal.Selection(), limit=9))
    assert [(row.actor, row.subject) for row in told if row.kind == "delivery.retried"] == [
        ("token:ci", "delivery:1")
    ]


def test_command_lists_and_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    row = {
        "number": 3,
        "source": "github",
        "event": "push",
        "received_at": "2026-11-29T10:00:00Z",
        "note": None,
    }

    class Remote:
        def ask(self, method: str, path: str) -> dict[str, object]:
            asked.append((method, path))
            return {"deliveries": [row]}

    monkeypatch.setattr(commands, "connected", Remote)
    assert "github push" in CliRunner().invoke(cli, ["deliveries"]).output
    assert CliRunner().invoke(cli, ["delivery", "retry", "3"]).exit_code == 0
    assert asked == [("GET", "/api/deliveries?limit=100"), ("POST", "/api/deliveries/3/retry")]
