"""Logins are seen and ended: one's own by oneself, everybody's by admins; on a page, by API and command."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner

from bot.store import sessions
from terminal import sessions as commands
from terminal.app import cli
from tests.bot.house import SHOP, House, house
from tests.webhooks.sites import composed
from tests.webhooks.whole import served
from webhooks.access import Access

URL = "http://errand.test"
OWN = {"sec-fetch-site": "same-origin"}
ADMIN = {"pages": {"admins": ["github:root"]}}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=ADMIN) as made:
        made.github.add_person(SHOP, "ada", "write")
        yield made


async def browser(home: House, login: str, agent: str = "Firefox <b>") -> httpx.AsyncClient:
    """One in which `login` has logged in."""
    site = composed(home.bot, url=URL)
    access: Access = site._access()
    cookie = await access.login_person(login, address="198.51.100.7", agent=agent)
    assert cookie is not None
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    return httpx.AsyncClient(transport=transport, base_url=URL, cookies={access.cookie: cookie})


async def test_own_other_login_is_ended_by_oneself_and_nobody_elses(home: House) -> None:
    here, there, other = [await browser(home, login) for login in ("ada", "ada", "octocat")]
    page = (await here.get("/sessions")).text
    assert ("Firefox &lt;b&gt;" in page, "198.51.100.7" in page, "octocat" in page) == (True, True, False)
    assert page.count("this browser") == 1
    assert (await here.post("/sessions/3/end", headers=OWN)).status_code == 404
    assert (await other.get("/")).status_code == 200
    assert (await here.post("/sessions/2/end")).status_code == 403  # from no form of ours
    answer = await here.post("/sessions/2/end", headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sessions")
    assert (await there.get("/")).status_code == 401
    assert (await here.get("/")).status_code == 200
    for each in (here, there, other):
        await each.aclose()


async def test_admin_sees_and_ends_everybodys(home: House) -> None:
    root, ada = await browser(home, "root"), await browser(home, "ada")
    page = (await root.get("/sessions")).text
    assert ("ada" in page, 'action="/sessions/2/end"' in page) == (True, True)
    assert (await root.post("/sessions/2/end", headers=OWN)).status_code == 303
    assert (await root.post("/sessions/2/end", headers=OWN)).status_code == 404
    assert (await ada.get("/")).status_code == 401
    await root.aclose()
    await ada.aclose()


async def test_token_that_reads_hears_of_no_login(home: House) -> None:
    await (await browser(home, "ada")).aclose()
    async with served(home, "read") as reader:
        assert (await reader.get("/api/sessions")).status_code == 403
        assert (await reader.delete("/api/sessions/1")).status_code == 403
        assert (await reader.get("/sessions")).status_code == 404


async def test_api_lists_and_ends_for_admins(home: House) -> None:
    ada = await browser(home, "ada")
    async with served(home, "admin") as client:
        (listed,) = (await client.get("/api/sessions")).json()["sessions"]
        assert (listed["number"], listed["login"], listed["address"]) == (1, "ada", "198.51.100.7")
        assert "hash" not in listed
        assert (await client.delete("/api/sessions/1")).status_code == 204
        again = await client.delete("/api/sessions/1")
        assert (again.status_code, again.json()["type"]) == (404, "urn:errand:problem:no-such-session")
    assert (await ada.get("/")).status_code == 401
    await ada.aclose()


async def test_of_very_many_logins_of_one_person_the_oldest_ends(home: House) -> None:
    first = await browser(home, "ada")
    for _ in range(sessions.OF_ONE_PERSON):
        await (await browser(home, "ada")).aclose()
    assert (await first.get("/")).status_code == 401
    rows = await home.store.read(lambda s: sessions.of_people(s, now=home.now, limit=99))
    assert len(rows) == sessions.OF_ONE_PERSON
    await first.aclose()


def test_command_lists_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    moment = "2030-01-31T14:03:00Z"
    row = {"number": 3, "login": "ada", "created_at": moment, "expires_at": moment}

    class Remote:
        def ask(self, method: str, path: str) -> dict[str, object]:
            asked.append((method, path))
            return {"sessions": [{**row, "address": None, "agent": "Firefox"}]}

    monkeypatch.setattr(commands, "connected", Remote)
    listed = CliRunner().invoke(cli, ["session", "list"])
    assert ("ada" in listed.output, "Firefox" in listed.output) == (True, True)
    assert CliRunner().invoke(cli, ["session", "end", "3"]).exit_code == 0
    assert asked == [("GET", "/api/sessions"), ("DELETE", "/api/sessions/3")]
