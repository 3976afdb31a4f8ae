"""The journal in Chromium: accessible in both schemes, never too wide, and walked by clicking alone."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.states import EntryKind
from tests import npm
from tests.bot.house import house
from tests.webhooks.pages.test_audit import RIGHTS, record
from tests.webhooks.pages.test_manners import AXE, served
from tests.webhooks.pages.test_sessions_browser import Logins, right

pytestmark = pytest.mark.browser


async def test_filters_are_links_that_work_without_scripts(tmp_path: Path, browser: Browser) -> None:
    axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
    async with house(tmp_path, changes=RIGHTS) as home, served(home) as (address, _):
        await record(home, "lock:production", facts={"reason": "moving " + "x" * 500}, cause="slack")
        await record(home, "job:ship", kind=EntryKind.REFUSED, actor="token:ci", job="ship", rule="allow")
        logins = Logins(home, address)
        cookie = await logins.person("root")
        async with logins.opened(browser, cookie) as page:
            await page.goto(f"{address}/audit?actor=token:ci&job=ship")
            await expect(page.get_by_text("refused", exact=True)).to_be_visible()
            assert await right(page, axe) == []
        async with logins.opened(browser, cookie, scripts=False) as page:
            await page.goto(f"{address}/")
            await page.get_by_role("link", name="Journal").click()
            await page.get_by_role("link", name="Locks").click()
            await expect(page.get_by_text("lock:production")).to_be_visible()
            await expect(page.get_by_text("job:ship")).to_have_count(0)
            await page.get_by_role("link", name="octocat").click()
            await page.get_by_role("link", name="Not only actor").click()
            await page.get_by_role("link", name="All", exact=True).click()
            await page.get_by_label("Who").fill("ci")
            await page.get_by_role("button", name="Show").click()
            await expect(page.locator(".journal li")).to_have_count(1)
            await expect(page.get_by_text("job:ship")).to_be_visible()
