"""A run that waits for a yes, on its page: who may say it does by clicking, who asked is told why not."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests import npm
from tests.bot.handlers.approving import approving, ask, look, on_github
from tests.webhooks.pages.test_job_browser import opened
from tests.webhooks.pages.test_manners import AXE, served, violations

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False])
async def test_yes_and_no_are_said_by_clicking(browser: Browser, tmp_path: Path, scripts: bool) -> None:
    async with approving(tmp_path, "{from: [github:octocat, github:hubber]}") as home:
        for index in range(2):
            await ask(home, on_github("hubber"), index, parameters={"DRY_RUN": "no"})
        await ask(home, on_github("octocat"), 2)
        await look(home)
        async with served(home) as (address, cookie), opened(browser, cookie, scripts=scripts) as page:
            await page.goto(f"{address}/runs/1")
            await expect(page.locator(".detail")).to_contain_text(
                "a yes of github:octocat, github:hubber until"
            )
            await page.get_by_role("button", name="Approve").click()
            await look(home)
            await page.goto(f"{address}/runs/1")
            await expect(page.get_by_text("Approved by octocat")).to_be_visible()
            await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
            await page.goto(f"{address}/runs/2")
            await page.get_by_label("Why not").fill("after the <b>sale</b>")
            await page.get_by_role("button", name="Deny").click()
            await expect(page.locator(".detail")).to_contain_text("octocat said no: after the <b>sale</b>")
            await page.goto(f"{address}/runs/3")
            await expect(page.get_by_text("Somebody else has to say yes to it")).to_be_visible()
            await expect(page.get_by_role("button", name="Approve")).to_have_count(0)


async def test_page_that_waits_for_a_yes_is_accessible(browser: Browser, tmp_path: Path) -> None:
    async with approving(tmp_path) as home:
        await ask(home, on_github("hubber"))
        await look(home)
        async with served(home) as (address, cookie), opened(browser, cookie, scripts=True) as page:
            await page.goto(f"{address}/runs/1")
            await expect(page.get_by_role("button", name="Approve")).to_be_visible()
            axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
            assert await violations(page, axe) == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
