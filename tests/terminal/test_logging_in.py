"""`errand login`, `whoami`, `logout`: by GitHub's device flow, kept for nobody else, ended on both sides."""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from typer.testing import CliRunner, Result

from bot.github import AppClient, Logins
from executor.spec import Secret
from terminal import keeping, logging_in
from terminal.app import cli
from terminal.failures import Failure
from tests.bot.house import SHOP, House, house
from tests.webhooks.whole import served


class Terminal:
    """A command line beside a browser; what it waits for, the browser does meanwhile."""

    def __init__(self, home: House, address: str) -> None:
        self.home = home
        self.address = address
        self.meanwhile: list[dict[str, str] | None] = []
        self.pauses: list[float] = []

    async def types(self, *words: str) -> Result:
        """What a command prints."""
        return await asyncio.to_thread(CliRunner().invoke, cli, list(words))

    def waits(self, seconds: float) -> None:
        """Time passes; the next thing that somebody does at GitHub happens."""
        self.pauses.append(seconds)
        self.home.now += seconds
        (device,) = self.home.github.client.devices.values()
        device.at -= seconds
        device.asked_at = device.asked_at and device.asked_at - seconds
        fields = self.meanwhile.pop(0) if self.meanwhile else None
        if fields is not None:
            page = f"{self.home.beside.github_url}/login/device"
            httpx.post(page, data={"user_code": device.user_code, **fields}, trust_env=False)


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    """One whose user has no token and no keyring."""
    for name in ("ERRAND_TOKEN", "ERRAND_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(keeping, "_keyring", lambda: None)
    monkeypatch.chdir(tmp_path)
    async with house(tmp_path, changes={"pages": {"admins": ["github:root"]}}) as home:
        home.github.add_person(SHOP, "ada", "write")
        client = home.github.client
        who = AppClient(home.beside.github_url, home.github.api_url, client.id, Secret(client.secret))
        logins = Logins(who, home.tools.clock)
        async with served(home, "admin", logins=logins) as served_at:
            made = Terminal(home, str(served_at.base_url).rstrip("/"))
            monkeypatch.setattr(
                logging_in, "time", SimpleNamespace(sleep=made.waits, monotonic=lambda: home.now)
            )
            yield made
        await logins.close()


async def test_person_logs_in_runs_what_a_comment_may_and_logs_out(terminal: Terminal) -> None:
    terminal.meanwhile = [None, {"login": "ada"}]
    done = await terminal.types("login", terminal.address)
    assert (done.exit_code, done.exception, "type the code" in done.stderr) == (0, None, True)
    assert f"Logged in at {terminal.address} as ada" in done.stderr
    assert terminal.pauses == [5, 5]
    assert terminal.home.github.client.tokens == set()
    path = keeping.Logins(os.environ).path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    who = await terminal.types("whoami")
    assert who.stdout.startswith(f"ada at {terminal.address}: run:")
    started = await terminal.types("run", "check")
    assert started.exit_code == 0
    assert (await terminal.home.run(1)).actor == "github:ada"
    token = json.loads(path.read_text())[0]["token"]
    assert (await terminal.types("logout")).exit_code == 0
    assert json.loads(path.read_text()) == []
    async with httpx.AsyncClient(base_url=terminal.address, trust_env=False) as client:
        told = await client.get("/api/login", headers={"authorization": f"Bearer {token}"})
    assert told.status_code == 401


async def test_login_is_listed_with_its_machine_and_ends_from_there(terminal: Terminal) -> None:
    terminal.meanwhile = [{"login": "ada"}]
    await terminal.types("login", terminal.address)
    async with served(terminal.home, "admin", name="other") as admin:
        (row,) = (await admin.get("/api/sessions")).json()["sessions"]
        assert (row["login"], row["agent"].startswith("errand login")) == ("ada", True)
        await admin.delete(f"/api/sessions/{row['number']}")
    done = await terminal.types("whoami")
    assert isinstance(done.exception, Failure)
    assert "`errand login` begins another one" in str(done.exception)
    assert (await terminal.types("logout")).exit_code == 0


async def test_hurry_is_slowed_down_as_github_says(terminal: Terminal) -> None:
    terminal.meanwhile = [None, {"login": "ada"}]
    terminal.home.github.fail("access_token", 200, body={"error": "slow_down", "interval": 10}, method="POST")
    assert (await terminal.types("login", terminal.address)).exit_code == 0
    assert terminal.pauses == [5, 10]


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"login": "ada", "denied": "1"}, "was told no"), ({"login": "stranger"}, "may run nothing here")],
)
async def test_no_is_told(terminal: Terminal, fields: dict[str, str], words: str) -> None:
    terminal.meanwhile = [fields]
    done = await terminal.types("login", terminal.address)
    assert words in str(done.exception)
    assert keeping.Logins(os.environ).newest() is None
    assert terminal.home.github.client.tokens == set()


async def test_code_that_nobody_types_ends(terminal: Terminal) -> None:
    done = await terminal.types("login", terminal.address)
    assert "not typed in time" in str(done.exception)


async def test_app_without_the_flow_says_what_to_do(terminal: Terminal) -> None:
    terminal.home.github.client.has_device_flow = False
    done = await terminal.types("login", terminal.address)
    assert "Enable Device Flow" in str(done.exception)
    assert "errand token create" in str(done.exception)


async def test_without_an_address_it_is_asked_for(terminal: Terminal) -> None:
    done = await terminal.types("login")
    assert "errand login https://" in str(done.exception)
    assert "`errand login ADDRESS` logs you in" in str((await terminal.types("jobs")).exception)


async def test_token_of_the_environment_goes_first(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.meanwhile = [{"login": "ada"}]
    await terminal.types("login", terminal.address)
    monkeypatch.setenv("ERRAND_URL", terminal.address)
    assert (await terminal.types("whoami")).stdout.startswith("ada at")
    monkeypatch.setenv("ERRAND_TOKEN", "errand_" + "x" * 43)
    assert "does not know this token" in str((await terminal.types("whoami")).exception)
