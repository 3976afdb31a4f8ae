"""The list of logins in Chromium, in each of its states, and how one of them ends by a click."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bot.store import sessions, tokens
from tests import npm
from tests.bot.house import SHOP, House, house
from tests.webhooks.pages.test_manners import AXE, served, too_wide, violations
from tests.webhooks.sites import composed
from webhooks.access import LOGIN_PREFIX, Access, new_token, token_hash

pytestmark = pytest.mark.browser

ADMIN = {"pages": {"admins": ["github:root"]}}
AGENT = "Mozilla/5.0 (X11; Linux x86_64) " + "Browser/128 " * 14


class Logins:
    """Logins at one address."""

    def __init__(self, home: House, address: str) -> None:
        self.home = home
        self.address = address
        self.access: Access = composed(home.bot, url=address)._access()

    async def person(self, login: str, agent: str = AGENT, **more: Any) -> str:
        """One more, in a browser; gives its cookie."""
        value = await self.access.login_person(login, address="2001:db8::7", agent=agent, **more)
        assert value is not None
        return value

    async def admin_token(self) -> str:
        """That of somebody who came with a token."""
        text = new_token()
        await self.home.write(
            lambda s: tokens.add(s, name="ops", hash=token_hash(text), now=self.home.now, scopes=("admin",))
        )
        value = await self.access.login(text)
        assert value is not None
        return value

    @asynccontextmanager
    async def opened(self, browser: Browser, cookie: str, *, scripts: bool = True) -> AsyncIterator[Page]:
        """The page as who has the cookie sees it."""
        context = await browser.new_context(java_script_enabled=scripts, reduced_motion="reduce")
        await context.add_cookies([{"name": self.access.cookie, "value": cookie, "url": self.address}])
        page = await context.new_page()
        await page.goto(f"{self.address}/sessions")
        yield page
        await context.close()


async def right(page: Page, axe: str) -> list[str]:
    """What is wrong with the page as it stands, in both schemes and at each width."""
    wrong: list[str] = []
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        wrong += await violations(page, axe)
    return wrong + await too_wide(page)


async def test_list_is_accessible_in_every_state(tmp_path: Path, browser: Browser) -> None:
    axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
    async with house(tmp_path, changes=ADMIN) as home, served(home) as (address, _):
        home.github.add_person(SHOP, "ada", "write")
        logins = Logins(home, address)
        await home.store.write(lambda s: sessions.end_person(s, login="octocat", now=home.now))
        async with logins.opened(browser, await logins.admin_token()) as page:  # nobody at all
            await expect(page.get_by_text("Nobody is logged in.")).to_be_visible()
            assert await right(page, axe) == []
        here = await logins.person("ada")
        async with logins.opened(browser, here) as page:  # one's own alone
            await expect(page.get_by_role("button", name="End session")).to_have_count(1)
            await expect(page.get_by_text("this browser")).to_be_visible()
            assert await right(page, axe) == []
        await logins.person("ada", "errand login on ada-laptop", prefix=LOGIN_PREFIX)
        await logins.person("octocat", "")
        async with logins.opened(browser, here) as page:  # with one's terminal, and nobody else's
            await expect(page.get_by_role("listitem").filter(has_text="errand login on")).to_have_count(1)
            await expect(page.get_by_text("octocat")).to_have_count(0)
            assert await right(page, axe) == []
        async with logins.opened(browser, await logins.person("root")) as page:  # everybody's
            await expect(page.get_by_role("button", name="End session")).to_have_count(4)
            await expect(page.get_by_text("a browser without a name")).to_be_visible()
            assert await right(page, axe) == []


@pytest.mark.parametrize("scripts", [True, False])
async def test_terminal_is_logged_out_by_a_click(tmp_path: Path, browser: Browser, scripts: bool) -> None:
    async with house(tmp_path, changes=ADMIN) as home, served(home) as (address, _):
        home.github.add_person(SHOP, "ada", "write")
        logins = Logins(home, address)
        here = await logins.person("ada")
        await logins.person("ada", "errand login on ada-laptop", prefix=LOGIN_PREFIX)
        async with logins.opened(browser, here, scripts=scripts) as page:
            row = page.get_by_role("listitem").filter(has_text="errand login on ada-laptop")
            await row.get_by_role("button", name="End session").click()
            await expect(row).to_have_count(0)
            await expect(page).to_have_url(f"{address}/sessions")
            await expect(page.get_by_text("this browser")).to_be_visible()
