"""A job is created, changed and removed in Chromium by typing and clicking, with and without JavaScript."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests import npm
from tests.bot.house import house
from tests.webhooks.pages.test_job_browser import opened
from tests.webhooks.pages.test_manners import AXE, served, violations

pytestmark = pytest.mark.browser

ADMINS = {"pages": {"admins": ["github:octocat"]}}


@pytest.mark.parametrize("scripts", [True, False])
async def test_job_is_created_changed_and_removed_by_clicking(
    tmp_path: Path,
    browser: Browser,
    scripts: bool,
) -> None:
    async with (
        house(tmp_path, changes=ADMINS) as home,
        served(home) as (address, cookie),
        opened(browser, cookie, scripts=scripts) as page,
    ):
        await page.goto(f"{address}/jobs")
        await page.get_by_role("link", name="New job").click()
        await page.get_by_label("Name").first.fill("fresh")
        if scripts:
            await _completes(page)
        await page.get_by_label("YAML").fill("command: 'true'\nimage: shop\nkeep: 0\n")
        await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_role("alert")).to_contain_text("Line 3, column 7: keep")
        if scripts:
            axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
            assert await violations(page, axe) == []
            await page.get_by_role("link", name="Line 3").click()
            assert await page.evaluate("document.querySelector('#definition').selectionStart") == 34
        await page.get_by_label("YAML").fill("command: 'true' # why\nimage: shop\n")
        await page.get_by_label("Description").fill("Fresh")
        await page.get_by_role("button", name="Write into").click()
        await expect(page.get_by_label("YAML")).to_have_value(
            "command: 'true' # why\nimage: shop\ndescription: Fresh\n"
        )
        await page.get_by_role("button", name="Create").click()
        await expect(page.get_by_role("heading", name="Version 1").first).to_be_visible()
        await page.get_by_role("link", name="Delete…").click()
        await page.get_by_role("button", name="Delete fresh with its history").click()
        await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
        assert home.tools.registry.entry("fresh") is None


async def _completes(page: Page) -> None:
    """Keys follow what is typed, and are written with their values where the cursor is."""
    text, keys = page.get_by_label("YAML"), page.locator("[data-key]")
    await text.fill("conc")
    await expect(keys.filter(visible=True)).to_have_count(1)
    await page.get_by_role("button", name="queue", exact=True).click()
    await expect(text).to_have_value("concurrency: queue")
    await text.press("Enter")
    await text.press_sequentially("schedule:\n  ti")
    await page.get_by_role("button", name="schedule.timezone").click()
    await expect(text).to_have_value("concurrency: queue\nschedule:\n  timezone: ")
    await text.fill("on")
    await page.get_by_role("button", name="push", exact=True).click()
    await expect(text).to_have_value("on:\n  - push")
    await text.press_sequentially("\n  rel")
    await page.get_by_role("button", name="on.release").click()
    await page.get_by_role("button", name="published", exact=True).click()
    await expect(text).to_have_value("on:\n  - push\n  - release: published")
    await text.press_sequentially("\n  - work")
    await page.get_by_role("button", name="on.workflow").click()
    await text.press_sequentially("ci.yml\n    con")
    await page.get_by_role("button", name="on.conclusion").click()
    await page.get_by_role("button", name="failure", exact=True).click()
    await text.press_sequentially("\nrequires:\n- che")
    await page.get_by_role("button", name="requires.checks", exact=True).click()
    await text.press_sequentially("\n    on")
    await page.get_by_role("button", name="requires.checks.only").click()
    await expect(text).to_have_value(
        "on:\n  - push\n  - release: published\n  - workflow: ci.yml\n    conclusion: failure\n"
        "requires:\n- checks: \n    only: "
    )
