"""A login over the API may what its person may in a comment and on pages, asked anew; nothing more."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.github import AppClient, Logins
from executor.spec import Secret
from tests.bot.house import SHOP, House, house
from tests.webhooks.sites import composed
from webhooks.access import LOGIN_PREFIX
from webhooks.api.logins import INTERVAL
from webhooks.failures import MOST_FAILURES

URL = "http://errand.test"
CODE = "d" * 40


class Door:
    """The API of `home`, as somebody or nobody."""

    def __init__(self, home: House, logins: Logins | None = None) -> None:
        self.home = home
        self._site = composed(home.bot, url=URL, logins=logins)
        self._app = Starlette(routes=self._site.routes())

    async def as_person(self, login: str) -> httpx.AsyncClient:
        """With the token of a login."""
        token = await self._site._access().login_person(
            login, address="198.51.100.7", agent="errand login", prefix=LOGIN_PREFIX
        )
        assert token is not None
        return self.client({"authorization": f"Bearer {token}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """With these headers."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url=URL, headers=headers or {}
        )


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    changes = {"pages": {"admins": ["github:@acme/ops"], "access": ["github:looker"]}}
    async with house(tmp_path, changes=changes) as home:
        home.github.add_person(SHOP, "ada", "write")
        home.github.add_to_team("acme", "ops", "root")
        for installation in home.github.state.installations.values():
            installation.permissions["members"] = "read"
        client = home.github.client
        who = AppClient(home.beside.github_url, home.github.api_url, client.id, Secret(client.secret))
        logins = Logins(who, home.tools.clock)
        yield Door(home, logins)
        await logins.close()


async def test_writer_starts_stops_and_repeats_as_themselves(door: Door) -> None:
    async with await door.as_person("ada") as ada:
        made = await ada.post("/api/jobs/check/start", json={})
        assert (made.status_code, made.json()["actor"]) == (201, "github:ada")
        assert (await ada.post("/api/runs/1/rerun", json={})).status_code == 201
        assert (await ada.post("/api/runs/1/cancel")).status_code == 200
        told = (await ada.get("/api/login")).json()
        assert (told["login"], told["name"]) == ("ada", "github:ada")
        assert "run:check" in told["scopes"]


async def test_right_that_is_lost_is_lost_at_once(door: Door) -> None:
    async with await door.as_person("ada") as ada:
        assert (await ada.post("/api/jobs/check/start", json={})).status_code == 201
        door.home.github.add_person(SHOP, "ada", "read")
        for path in ("jobs/check/start", "runs/1/rerun", "runs/1/cancel", "jobs/check/plan"):
            refused = await ada.post(f"/api/{path}")
            assert (path, refused.status_code) == (path, 409)
        assert (await ada.delete("/api/jobs/check/tag")).status_code == 409


async def test_who_may_look_starts_nothing(door: Door) -> None:
    async with await door.as_person("looker") as looker:
        assert (await looker.get("/api/jobs")).status_code == 200
        refused = await looker.post("/api/jobs/check/start", json={})
        assert (refused.status_code, "looker may not" in refused.json()["detail"]) == (403, True)


async def test_admin_may_what_admins_may_as_it_is_now_and_no_single_commands(door: Door) -> None:
    async with await door.as_person("root") as root:
        assert (await root.get("/api/sessions")).status_code == 200
        assert (await root.post("/api/exec", json={"image": "shop", "command": ["true"]})).status_code == 403
        assert (await root.post("/api/jobs/check/start", json={})).status_code == 409  # no writer there
        del door.home.github.state.organizations["acme"].teams["ops"]["root"]
        assert (await root.get("/api/tokens")).status_code == 403


async def test_cookie_is_no_token_and_a_token_no_cookie(door: Door) -> None:
    async with await door.as_person("ada") as ada:
        token = ada.headers["authorization"].removeprefix("Bearer ")
    access = door._site._access()
    cookie = await access.login_person("ada", address="", agent="")
    async with door.client({"authorization": f"Bearer {cookie}"}) as client:
        assert (await client.get("/api/jobs")).status_code == 401
    async with door.client({"cookie": f"{access.cookie}={token}"}) as client:
        assert (await client.get("/api/jobs")).status_code == 401


async def test_only_logins_end_by_themselves(door: Door) -> None:
    async with await door.as_person("ada") as ada:
        assert (await ada.delete("/api/login")).status_code == 204
        assert (await ada.get("/api/login")).status_code == 401


async def test_questions_are_paced_whoever_asks(door: Door) -> None:
    async with door.client() as client:
        began = (await client.post("/api/login")).json()
        body = {"device_code": began["device_code"], "machine": "laptop"}
        for _ in range(3):
            early = await client.post("/api/login/token", json=body)
            assert (early.status_code, early.json()) == (202, {"interval": INTERVAL})
        assert door.home.github.count("access_token", "POST") == 0
        door.home.now += INTERVAL
        assert (await client.post("/api/login/token", json=body)).status_code == 202
        assert door.home.github.count("access_token", "POST") == 1


async def test_beginnings_of_one_address_are_bounded(door: Door) -> None:
    async with door.client() as client:
        for _ in range(MOST_FAILURES):
            assert (await client.post("/api/login")).status_code == 200
        refused = await client.post("/api/login")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize("machine", ["a\nb", "x" * 101, "\u202e", 3])
async def test_machine_is_a_short_line(door: Door, machine: object) -> None:
    async with door.client() as client:
        answer = await client.post("/api/login/token", json={"device_code": CODE, "machine": machine})
        assert answer.status_code == 422


async def test_code_of_nobody_and_github_away_are_told(door: Door) -> None:
    async with door.client() as client:
        gone = await client.post("/api/login/token", json={"device_code": CODE})
        assert (gone.status_code, gone.json()["type"]) == (409, "urn:errand:problem:login-ended")
        door.home.github.fail("/login/device/code", 502)
        assert (await client.post("/api/login")).status_code == 503


async def test_where_nobody_logs_in_with_github_that_is_said(door: Door) -> None:
    async with Door(door.home).client() as client:
        for path in ("login", "login/token"):
            answer = await client.post(f"/api/{path}", json={"device_code": CODE} if "/" in path else {})
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:errand:problem:no-login")
