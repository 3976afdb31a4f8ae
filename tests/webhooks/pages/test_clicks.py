"""All that job runners of clusters let people do on pages, done here from the first page on by clicking.

What that is was read in Shipmight's docs/Jobs.md (https://github.com/shipmight/shipmight) and in the pages
of Porter's dashboard (https://github.com/porter-dev/porter): create a job with its image, environment,
parameters, time limit and when its runs are removed, run it with parameters changed, stop, repeat and delete
a run, change settings, hold the schedule, give a deploy its token, delete the job.
"""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bot.states import State
from tests.bot.house import House, house
from tests.webhooks.pages.test_job_browser import accessible, opened
from tests.webhooks.pages.test_manners import served
from tests.webhooks.pages.test_run_browser import begin, move

pytestmark = pytest.mark.browser

TIDY = """image: shop
command: python manage.py tidy
env: {DEPTH: "2"}
parameters:
  REGION: {choices: [eu, us], default: eu}
  DAYS: {type: integer, default: 30}
schedule: {cron: "30 2 * * *", timezone: Europe/Berlin}
timeout: 10m
expire: 14d
"""

PRESSED_TWICE = """() => {
  const form = document.querySelector("[data-once]");
  const press = () => form.dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
  const sent = [press(), press()];
  dispatchEvent(new PageTransitionEvent("pageshow"));
  return sent;
}"""
"""Whether a form is sent at the first and at the second press, which would lose what is shown once."""


@pytest.mark.parametrize("scripts", [True, False])
async def test_everything_is_reached_by_clicking(tmp_path: Path, browser: Browser, scripts: bool) -> None:
    async with (
        house(tmp_path, changes={"pages": {"admins": ["github:octocat"]}}) as home,
        served(home) as (address, cookie),
        opened(browser, cookie, scripts=scripts) as page,
    ):
        await page.goto(address)
        await _creates(page)
        await _runs(home, page)
        await _removes_a_run(page)
        await _holds_the_schedule(page)
        await _makes_a_hook(page, address, scripts=scripts)
        await _changes_settings(page)
        await _deletes(page)
        assert home.tools.registry.entry("tidy") is None


async def _tab(page: Page, name: str) -> None:
    await page.get_by_role("navigation", name="Job").get_by_role("link", name=name, exact=True).click()


async def _creates(page: Page) -> None:
    await page.get_by_role("link", name="Jobs", exact=True).first.click()
    await page.get_by_role("link", name="New job").click()
    await page.get_by_label("Name").first.fill("tidy")
    await page.get_by_label("YAML").fill(TIDY)
    await page.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", name="Version 1").first).to_be_visible()


async def _runs(home: House, page: Page) -> None:
    """With one parameter changed; it is stopped, and run again as it was."""
    await _tab(page, "Run")
    await page.get_by_label("REGION").select_option("us")
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page.get_by_role("heading", name="tidy #1")).to_be_visible()
    assert (await home.run(1)).parameters == {"REGION": "us", "DAYS": "30"}
    await home.write(begin)
    await page.get_by_role("button", name="Stop").click()
    await move(home, State.STOPPING)
    await move(home, State.FINISHED, result="cancelled", exit_code=143)
    await page.get_by_role("link", name="tidy", exact=True).first.click()
    await page.get_by_role("link", name="#1").first.click()
    await page.get_by_role("button", name="Run again", exact=True).click()
    await expect(page.get_by_role("heading", name="tidy #2")).to_be_visible()
    assert (await home.run(2)).parameters["REGION"] == "us"
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator(".timeline .ended")).to_contain_text("cancelled")


async def _removes_a_run(page: Page) -> None:
    await page.get_by_role("link", name="Run #1").first.click()
    await expect(page.get_by_role("heading", name="tidy #1")).to_be_visible()
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("heading", name="tidy")).to_be_visible()


async def _holds_the_schedule(page: Page) -> None:
    await _tab(page, "Schedule")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("paused").first).to_be_visible()
    await page.get_by_role("button", name="Let it go on").click()
    await expect(page.get_by_role("button", name="Let it go on")).to_have_count(0)


async def _makes_a_hook(page: Page, address: str, *, scripts: bool) -> None:
    """The token that is shown lets a machine in, until the hook is deleted."""
    await _tab(page, "Hooks and rules")
    if scripts:
        assert await page.evaluate(PRESSED_TWICE) == [True, False]
    await page.get_by_label("Name").fill("deploys")
    await page.get_by_role("button", name="Make a hook").click()
    token = await page.get_by_role("status").locator("code", has_text="errand_hook_").inner_text()
    assert token not in page.url
    await accessible(page, scripts)
    call = {"X-Deploy-Hook-Token": token}
    unknown = {"parameters": {"NONE": "1"}}
    assert (await page.request.post(f"{address}/hooks/tidy", headers=call, data=unknown)).status == 422
    await page.get_by_label("Another hook").fill("deploys")
    await page.get_by_role("button", name="Make a hook").click()
    await expect(page.get_by_role("alert")).to_contain_text("a hook of that name already")
    await expect(page.locator("main")).not_to_contain_text(token)
    await page.get_by_role("link", name="Delete… the hook deploys").click()
    await page.get_by_role("button", name="Delete deploys").click()
    await expect(page.get_by_role("link", name="Delete… the hook deploys")).to_have_count(0)
    assert (await page.request.post(f"{address}/hooks/tidy", headers=call, data=unknown)).status == 401


async def _changes_settings(page: Page) -> None:
    await _tab(page, "Definition")
    await page.get_by_role("link", name="Change").click()
    await page.get_by_label("YAML").fill(TIDY.replace("10m", "20m"))
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Version 2").first).to_be_visible()
    await expect(page.get_by_text("20m").first).to_be_visible()


async def _deletes(page: Page) -> None:
    await _tab(page, "Definition")
    await page.get_by_role("link", name="Delete…").click()
    await page.get_by_role("button", name="Delete tidy with its history").click()
    await expect(page.get_by_role("heading", name="Jobs")).to_be_visible()
