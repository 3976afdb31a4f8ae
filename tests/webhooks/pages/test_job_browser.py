"""A job's pages in Chromium: it is planned, started and repeated, its schedule held back, by clicking."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright._impl._api_structures import SetCookieParam
from playwright.async_api import Browser, Page, expect

from tests import npm
from tests.bot.house import House, house
from tests.webhooks.pages.test_manners import AXE, served, violations
from tests.webhooks.pages.test_run_form import JOBS

pytestmark = pytest.mark.browser

NIGHTLY = """
nightly:
  image: shop
  command: "true"
  schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}
"""


@asynccontextmanager
async def opened(
    browser: Browser,
    cookie: SetCookieParam,
    *,
    scripts: bool,
) -> AsyncIterator[Page]:
    """A page at whose end nothing was complained of but the answer to a form with mistakes."""
    context = await browser.new_context(
        java_script_enabled=scripts, timezone_id="Asia/Tokyo", viewport={"width": 390, "height": 844}
    )
    await context.add_cookies([cookie])
    page, complaints = await context.new_page(), list[str]()
    page.on("console", lambda each: complaints.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    await context.close()
    assert [each for each in complaints if "409" not in each and "422" not in each] == []


@pytest.mark.parametrize("scripts", [True, False])
async def test_job_is_planned_started_and_repeated_by_clicking(
    tmp_path: Path,
    browser: Browser,
    scripts: bool,
) -> None:
    async with (
        house(tmp_path, jobs=JOBS + NIGHTLY) as home,
        served(home) as (address, cookie),
        opened(browser, cookie, scripts=scripts) as page,
    ):
        await _starts(home, page, address, scripts=scripts)
        await _holds_back(page, address, scripts=scripts)


async def _starts(home: House, page: Page, address: str, *, scripts: bool) -> None:
    """The form: mistakes at their fields, a preview, a run, and another one that was filled in from it."""
    await page.goto(f"{address}/jobs/report")
    await page.get_by_role("navigation", name="Job").get_by_role("link", name="Run").click()
    await page.get_by_label("NAME").fill("A B")
    await page.get_by_label("COUNT").fill("4")
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("2 things to mend")
    await expect(page.get_by_label("NAME")).to_have_value("A B")
    await expect(page.get_by_label("NAME")).to_have_attribute("aria-invalid", "true")
    await accessible(page, scripts)

    await page.get_by_label("NAME").fill("ada")
    await page.get_by_label("SURE").select_option("true")
    await page.get_by_label("DAY").fill("2026-11-30")
    await page.get_by_label("DRY").uncheck()
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("status")).to_contain_text("would run, nothing was started")
    await accessible(page, scripts)
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page).to_have_url(f"{address}/runs/1")
    assert (await home.run(1)).parameters == {
        "REGION": "eu",
        "COUNT": "4",
        "DAY": "2026-11-30",
        "DRY": "false",
        "SURE": "true",
        "NAME": "ada",
        "NOTE": "one\n<two>",
    }

    await page.goto(f"{address}/jobs/report/run?from=1")
    await expect(page.get_by_label("DRY")).not_to_be_checked()
    await page.get_by_label("NAME").fill("kim")
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page).to_have_url(f"{address}/runs/2")
    again = await home.run(2)
    assert (again.rerun_of, again.parameters["NAME"]) == (1, "kim")


async def accessible(page: Page, scripts: bool) -> None:
    """axe-core finds nothing in the page as it stands, and it fits a phone."""
    if scripts:
        axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
        assert await violations(page, axe) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390


async def _holds_back(page: Page, address: str, *, scripts: bool) -> None:
    """The schedule's page: times by both clocks, left out, paused and let go on."""
    await page.goto(f"{address}/jobs/nightly/schedule")
    rows = page.locator(".times tbody tr")
    await expect(rows).to_have_count(10)
    await expect(rows.first).to_contain_text("02:30 CE")
    zone = "Yours (Asia/Tokyo)" if scripts else "UTC"
    await expect(page.locator("[data-zone]")).to_have_text(zone)
    await page.get_by_role("button", name="Leave out").click()
    await expect(page.locator("main")).to_contain_text("is left out by octocat")
    await page.get_by_label("or for").fill("soon")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_role("alert")).to_contain_text("Expected a duration")
    await accessible(page, scripts)
    await page.get_by_label("or for").fill("2h")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("main")).to_contain_text("paused by octocat until")
    await page.get_by_role("button", name="Let it go on").click()
    await expect(page.locator("main")).not_to_contain_text("by octocat")
    await page.get_by_role("button", name="Run now").click()
    await expect(page).to_have_url(f"{address}/runs/3")
