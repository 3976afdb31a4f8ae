"""A run's page in a real browser: it follows without taking anything away, and works by plain forms."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from bot.states import State
from bot.store import Session, runs
from bot.tables import Run
from tests.bot.house import House, house
from tests.webhooks.pages.test_manners import served

pytestmark = pytest.mark.browser


def begin(session: Session) -> None:
    """Run #1 runs, carried by this bot."""
    run = session.get(Run, 1)
    assert run is not None
    run.state, run.started_at, run.lease_owner, run.lease_until = State.RUNNING, run.created_at, "one", 2e9


async def move(home: House, to: State, **facts: object) -> None:
    moved = await home.write(lambda s: runs.move(s, 1, to, owner="one", now=home.now, **facts))  # type: ignore[arg-type]
    assert moved is not None


async def test_run_is_followed_stopped_and_repeated_on_its_page(browser: Browser, tmp_path: Path) -> None:
    async with house(tmp_path) as home, served(home) as (address, cookie):
        await home.says("/job run check")
        await home.write(begin)
        context = await browser.new_context()
        await context.add_cookies([cookie])
        page = await context.new_page()
        await page.goto(f"{address}/runs/1")
        await expect(page.locator("#live")).to_have_text("live")
        stop = page.locator("#stop")

        await stop.focus()
        await home.write(lambda s: runs.advance(s, 1, owner="one", done=2, total=5))
        await expect(page.locator(".headway")).to_contain_text("2/5")
        await expect(stop).to_be_focused()

        await page.evaluate("heard = new Promise(r => document.addEventListener('head', r, { once: true }))")
        await stop.hover()
        await page.mouse.down()
        await home.write(lambda s: runs.advance(s, 1, owner="one", done=3, total=5))
        await page.evaluate("heard.then(() => true)")
        await page.mouse.up()
        await expect(page.locator(".stopping-note")).to_have_text("It is to stop, asked by octocat.")
        await expect(page.locator(".headway")).to_contain_text("3/5")

        await expect(page.locator("#live")).to_have_text("live")
        await page.locator("#head").get_by_role("link", name="octocat").focus()
        await move(home, State.STOPPING)
        await expect(page.locator(".grace")).to_have_text(re.compile(r"^(30|2\d)s$"))
        await expect(page.locator(".timeline .stopping")).to_contain_text("asked by octocat")
        await expect(page.locator("#head").get_by_role("link", name="octocat")).to_be_focused()
        await move(home, State.FINISHED, result="cancelled", exit_code=143)
        await expect(page.locator(".timeline .ended")).to_contain_text("cancelled")
        await page.get_by_role("button", name="Run again", exact=True).click()
        await page.wait_for_url(f"{address}/runs/2")
        await context.close()


async def test_run_is_stopped_and_removed_without_javascript(browser: Browser, tmp_path: Path) -> None:
    async with house(tmp_path, changes={"pages": {"admins": ["github:octocat"]}}) as home:
        await home.says("/job run check")
        async with served(home) as (address, cookie):
            context = await browser.new_context(java_script_enabled=False)
            await context.add_cookies([cookie])
            page = await context.new_page()
            await page.goto(f"{address}/runs/1")
            await page.get_by_role("button", name="Stop").click()
            await expect(page.locator(".timeline .ended")).to_contain_text("cancelled")
            await page.get_by_role("link", name="Run with changes").click()
            await page.wait_for_url(f"{address}/jobs/check/run?from=1")
            await page.go_back()
            await page.get_by_role("link", name="Remove").click()
            await page.get_by_role("button", name="Remove it").click()
            await page.wait_for_url(f"{address}/jobs/check")
            await context.close()
