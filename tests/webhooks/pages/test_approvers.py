"""Who may only say yes logs in for that: they see what waits for them, and nothing else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.errors import RetryLater
from bot.github.organizations import Organizations
from bot.handlers.start import StartRequest
from bot.store import runs
from tests.bot.handlers.approving import approving, ask, look, on_github
from tests.bot.house import House
from tests.webhooks.pages.browsers import OWN, URL, of_person
from tests.webhooks.sites import composed
from webhooks.access import LOGIN_PREFIX, Access

JOBS = """
migrate: {image: shop, command: "true", approval: %s}
silent: {image: shop, command: "true", approval: {from: ["github:quinn"], "on": [slack]}}
other: {image: shop, command: "true"}
"""
RULE = '{from: ["github:@acme/ops"]}'


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with approving(tmp_path, RULE, job=JOBS) as made:
        made.github.add_to_team("acme", "ops", "quinn")
        for installation in made.github.state.installations.values():
            installation.permissions["members"] = "read"
        yield made


async def logged_in(home: House, login: str) -> str | None:
    """What a login from the command line is proved with; None for who may not."""
    access: Access = composed(home.bot, url=URL)._access()
    return await access.login_person(login, address="", agent="", prefix=LOGIN_PREFIX)


async def terminal(home: House, login: str) -> httpx.AsyncClient:
    """The API as the command line asks it."""
    headers = {"authorization": f"Bearer {await logged_in(home, login)}"}
    transport = httpx.ASGITransport(Starlette(routes=composed(home.bot, url=URL).routes()))
    return httpx.AsyncClient(transport=transport, base_url=URL, headers=headers)


async def test_approver_sees_what_waits_for_their_yes_and_says_it(home: House) -> None:
    first, second = [await ask(home, on_github("octocat", key=key)) for key in ("one", "two")]
    async with await of_person(home, "quinn") as pages:
        front = (await pages.get("/")).text
        assert front.count(f'href="/runs/{first}"') == front.count(f'href="/runs/{second}"') == 1
        assert "No job is configured" not in front
        page = (await pages.get(f"/runs/{first}")).text
        assert f'action="/runs/{first}/approve"' in page
        assert f"/runs/{second}" not in page
        said = await pages.post(f"/runs/{first}/approve", headers=OWN)
        assert said.headers["location"] == f"/runs/{first}"
        await look(home)
        assert (await home.run(first)).hold is None
        assert "Approved by" in (await pages.get(f"/runs/{first}")).text  # what became of it
        await home.write(lambda s: runs.request_stop(s, second, by="github:octocat", now=home.now))
        assert (await pages.get(f"/runs/{second}")).status_code == 404
        assert "Nothing waits for your yes" in (await pages.get("/")).text
        definition = await pages.get("/jobs/migrate", follow_redirects=True)
        assert (definition.status_code, definition.url.path) == (200, "/jobs/migrate/definition")
        assert "/jobs/migrate/run" not in definition.text


async def test_approver_sees_and_does_nothing_else(home: House) -> None:
    waiting = await ask(home)
    free = await home.bot.actions.starts.order(on_github("octocat"), "other", StartRequest(), 1)
    other = int(await home.write(lambda s: home.bot.enqueuer.enqueue(s, free).identity))
    async with await of_person(home, "quinn") as pages:
        front = (await pages.get("/")).text
        assert ("other" in front, 'action="/freeze"' in front, f"/runs/{waiting}/cancel" in front) == (
            False,
            False,
            False,
        )
        assert "migrate" not in (await pages.get("/jobs")).text
        for path in (
            "other",
            "silent",
            "migrate/run",
            "migrate/rules",
            "migrate/schedule",
            "other/definition",
        ):
            assert (await pages.get(f"/jobs/{path}")).status_code == 404, path
        for path in (f"/runs/{other}", f"/runs/{other}/log", "/builds/1", "/audit", "/deliveries"):
            assert (await pages.get(path)).status_code in (403, 404), path
        for path in (f"/runs/{waiting}/cancel", f"/runs/{other}/approve", "/jobs/migrate/run", "/freeze"):
            assert (await pages.post(path, data={"why": "x"}, headers=OWN)).status_code in (404, 409), path
    assert (await home.run(waiting)).hold is not None
    async with await terminal(home, "quinn") as api:
        assert (await api.get("/api/runs")).json()["runs"] == []
        assert (await api.get("/api/jobs")).json()["jobs"] == []
        assert (await api.get("/api/login")).json()["scopes"] == []
        assert (await api.get(f"/api/runs/{waiting}")).status_code == 404
        assert (await api.post("/api/jobs/migrate/runs", json={})).status_code in (403, 404)
        assert (await api.post(f"/api/runs/{other}/approve")).status_code == 404
        assert (await api.post(f"/api/runs/{waiting}/approve")).status_code == 200


async def test_login_is_for_who_is_named_where_people_log_in(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await logged_in(home, "stranger") is None  # nobody's yes
    home.github.state.organizations["acme"].teams["ops"].clear()
    home.now += 3600.0
    assert await logged_in(home, "quinn") is None  # whose yes would count in Slack alone
    monkeypatch.setattr(Organizations, "has", _away)
    home.now += 3600.0
    with pytest.raises(RetryLater):
        await logged_in(home, "quinn")
    assert await logged_in(home, "hubber") is not None  # who may run something whatever teams they are in


async def _away(*_: object, **__: object) -> bool:
    raise RetryLater("GitHub is away")
