"""The App is made in a real browser against a GitHub that is as strict as the real one."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.config import envfile
from bot.config.at_hand import AppAtHand, Service, at_hand
from bot.github.registration import Registration, register
from demo.github import GitHubStandIn
from demo.standins import serving
from webhooks.pages.renderer import PageRenderer
from webhooks.pages.setup import PATH, AppSetup, Entrance

APP = """url: https://errand.example.com
github:
  app_id: ${APP}
  private_key: ${KEY}
  webhook_secret: ${HOOK}
  api_url: URL
images: {shop: {build: {repository: acme/shop}}}
jobs:
  migrate: {image: shop, command: "true", on: [push, {deployment: production}]}
"""


class _Setting:
    """A setup of the App, its pages and the GitHub that it goes to."""

    def __init__(self, config: Path, github: GitHubStandIn) -> None:
        self.config, self.github = config, github
        config.write_text(APP.replace("URL", github.url))
        self.app: AppAtHand = at_hand(config, {}, Service.GITHUB)
        self.setup: AppSetup | None = None
        self.address = ""

    def begin(self, entrance: Entrance) -> AppSetup:
        async def exchange(code: str) -> Registration:
            return await register(self.github.url, code, lambda: 1.0)

        renderer = PageRenderer(clock=lambda: 1.0)
        self.setup = AppSetup(self.app, self.config, entrance, renderer, exchange)
        return self.setup


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[_Setting]:
    github = GitHubStandIn()
    async with serving(github) as url:
        github.url = url
        yield _Setting(tmp_path / "my.yaml", github)


def _later(setting: _Setting) -> ASGIApp:
    """The pages of a setup that begins when its address is known."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert setting.setup is not None
        await setting.setup.alone()(scope, receive, send)

    return app


@pytest.mark.browser
async def test_two_clicks_make_the_app_and_keep_its_keys(setting: _Setting, page: Page) -> None:
    (setting.config.parent / ".env").write_text("OTHER=1\nAPP=\n")
    async with serving(_later(setting)) as address:
        setting.begin(Entrance(address))
        await page.goto(address + PATH)
        await page.get_by_label("Whose App it is").fill("acme")
        await page.get_by_role("button", name="Choose").click()
        await page.get_by_role("button", name="Make the App on GitHub for acme").click()
        await page.get_by_role("button", name="Create GitHub App for acme").click()
        await expect(page.locator("h1")).to_have_text("errand is made")
        await expect(page.locator("section")).to_contain_text("errand serve --config my.yaml")
        await expect(page.locator("pre.lines")).to_contain_text("client_secret: ${GITHUB_CLIENT_SECRET}")
        await page.get_by_role("link", name="Install it").click()
        await expect(page.locator("h1")).to_have_text("Install Errand")
    kept = setting.config.with_name(".env")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    values = envfile.beside(setting.config).values
    assert (values["OTHER"], values["APP"]) == ("1", str(setting.github.app_id))
    assert values["KEY"] == setting.github.private_key
    assert len(values["HOOK"]) == 40
    client = setting.github.client
    assert (values["GITHUB_CLIENT_ID"], values["GITHUB_CLIENT_SECRET"]) == (client.id, client.secret)
    assert client.callbacks == ["https://errand.example.com/login/github/callback"]
    made = setting.github.state.registered
    assert made is not None
    assert made.owner == "acme"
    assert made.manifest["default_permissions"]["deployments"] == "write"
    assert {"push", "deployment"} <= set(made.manifest["default_events"])


@pytest.mark.parametrize(
    ("poll", "words"),
    [("5s", "every 5s."), (None, "once a minute, or as often as <code>github: {poll: 10s}")],
)
async def test_whoever_github_does_not_reach_is_told_how_deliveries_come(
    setting: _Setting, poll: str | None, words: str
) -> None:
    text = setting.config.read_text().replace("https://errand.example.com", "http://127.0.0.1:8000")
    setting.config.write_text(text.replace("github:\n", f"github:\n  poll: {poll}\n") if poll else text)
    setting.app = at_hand(setting.config, {}, Service.GITHUB)
    async with serving(_later(setting)) as address, httpx.AsyncClient(base_url=address) as client:
        setting.begin(Entrance(address))
        assert words in (await client.get(PATH)).text


async def test_code_of_another_form_is_refused_and_one_counts_once(setting: _Setting) -> None:
    async with serving(_later(setting)) as address, httpx.AsyncClient(base_url=address) as client:
        setting.begin(Entrance(address))
        assert (await client.get(f"{PATH}/made?code=x&state=guessed")).status_code == 403
        assert setting.github.requests == []
        assert not setting.config.with_name(".env").exists()
        state = (await client.get(PATH)).text.partition("state=")[2].partition('"')[0]
        refused = await client.get(f"{PATH}/made?code=none&state={state}")
        assert (refused.status_code, "404" in refused.text) == (502, True)
        assert (await client.get(f"{PATH}/made?code=none&state={state}")).status_code == 403


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("https://errand.example.com", {}, 403),  # a proxy on this machine may have sent it
        ("http://127.0.0.1:8000", {}, 200),
        ("http://127.0.0.1:8000", {"X-Forwarded-For": "198.51.100.7"}, 403),
        ("http://127.0.0.1:8000", {"Host": "rebound.example.com"}, 403),
        ("http://127.0.0.1:8000", {"Host": "127.0.0.1.example.com:8000"}, 403),  # a name that looks like one
        ("http://127.0.0.1:8000", {"Host": "127.evil.example"}, 403),
        ("http://127.0.0.1:8000", {"Host": "[127.0.0.1"}, 403),
        ("http://127.0.0.1:8000", {"Host": "[::1]:8000"}, 200),
    ],
)
async def test_form_is_for_this_machine_or_the_code(
    setting: _Setting, url: str, headers: dict[str, str], status: int
) -> None:
    async with serving(_later(setting)) as address, httpx.AsyncClient(base_url=address) as client:
        entrance = Entrance(url)
        setting.begin(entrance)
        assert (await client.get(PATH, headers=headers)).status_code == status
        opened = await client.get(PATH, params={"code": entrance.code.reveal()}, headers=headers)
        assert opened.status_code == 200
