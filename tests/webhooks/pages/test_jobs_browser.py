"""The list of jobs in Chromium: searched while one types, moved through by keys; and without scripts."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.bot.house import house
from tests.webhooks.pages.finished import add_ended
from tests.webhooks.pages.test_job_browser import opened
from tests.webhooks.pages.test_manners import served

pytestmark = pytest.mark.browser

MANY = {"jobs": {f"a{number:02}": {"image": "shop", "command": "true"} for number in range(60)}}


async def test_jobs_are_found_by_typing_and_opened_by_keys(
    tmp_path: Path,
    browser: Browser,
) -> None:
    async with house(tmp_path, changes=MANY) as home, served(home) as (address, cookie):
        await add_ended(home.store, "deploy", ["succeeded", "failed"])
        async with opened(browser, cookie, scripts=True) as page:
            await page.goto(f"{address}/jobs")
            names, field = page.locator(".joblist .name:visible"), page.get_by_role("searchbox")
            await expect(names).to_have_count(50)
            await page.keyboard.press("/")
            await expect(field).to_be_focused()
            await page.keyboard.type("a5")
            await expect(names).to_have_count(10)  # of which only the server knew the last ones
            await expect(page).to_have_url(f"{address}/jobs?q=a5")
            await page.keyboard.press("Escape")
            for key, name in (("j", "a50"), ("j", "a51"), ("k", "a50")):
                await page.keyboard.press(key)
                await expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
            await page.keyboard.press("?")
            await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
            await page.keyboard.press("j")
            await page.keyboard.press("Enter")
            await expect(page).to_have_url(f"{address}/jobs/a51")
            await page.goto(f"{address}/jobs/deploy")
            await page.locator(".plot [data-href]").last.click()
            await expect(page).to_have_url(f"{address}/runs/2")

        async with opened(browser, cookie, scripts=False) as page:
            await page.goto(f"{address}/jobs")
            await page.get_by_role("link", name="failed", exact=True).click()
            await expect(page.locator(".joblist .name")).to_have_text(["deploy"])
            await page.get_by_role("searchbox").fill("nothing like it")
            await page.get_by_role("button", name="Search").click()
            await expect(page.get_by_role("status")).to_contain_text("No job is like that.")
            await page.get_by_role("link", name="Show all").click()
            await expect(page.locator(".joblist .name")).to_have_count(50)
