"""The first page, and what all pages do by script, in a real browser: they follow, and tell the end."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from bot.store import tokens
from tests.webhooks.installation import NOW, Installation, here
from webhooks.access import new_token, token_hash

__all__ = ["here"]

pytestmark = pytest.mark.browser


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A browser in New York that counts in German."""
    made = await browser.new_context(locale="de-DE", timezone_id="America/New_York")
    yield made
    await made.close()


async def _signed_in(context: BrowserContext, here: Installation) -> Page:
    text = new_token()
    await here.store.write(
        lambda s: tokens.add(s, name="me", hash=token_hash(text), now=NOW, scopes=["admin"])
    )
    page = await context.new_page()
    await page.goto(f"{here.address}/login")
    await page.get_by_label("token").fill(text)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(f"{here.address}/")
    return page


async def test_overview_follows_by_parts_and_remembers_the_last_look(
    here: Installation, context: BrowserContext
) -> None:
    page = await _signed_in(context, here)
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status) if "/overview?" in answer.url else None)
    await expect(page.locator("[aria-labelledby=running] .none")).to_have_text("Nothing runs now.")
    await page.locator("#lock summary").click()
    await page.locator("#lock").get_by_label("Why").fill("half a wo")
    run = await here.start_run()
    await expect(page.locator(".tally")).to_contain_text("1 running")
    await expect(page.locator("#lock").get_by_label("Why")).to_be_focused()
    await page.keyboard.type("rd")
    await expect(page.locator("#lock").get_by_label("Why")).to_have_value("half a word")
    await expect(page.locator("[aria-labelledby=running] .pill")).to_have_text("Running")
    await here.finish(run, result="failed", exit_code=3)
    failed = page.locator("[aria-labelledby=failed] .entry")
    await expect(failed).to_have_count(1)
    assert 200 in asked
    assert await page.evaluate("document.querySelectorAll('#board').length") == 1

    here.now += 600
    await page.goto(f"{here.address}/jobs")
    assert any(each["name"] == "looked" for each in await context.cookies())
    await page.goto(f"{here.address}/")
    await expect(failed).to_have_count(0)
    await expect(page.locator("#failed")).to_contain_text("since you looked last")
    await page.get_by_role("link", name="Within a week").click()
    await expect(failed).to_have_count(1)


async def test_moments_are_told_by_the_clocks_of_the_reader(
    here: Installation, context: BrowserContext
) -> None:
    run = await here.start_run()
    await here.finish(run)
    page = await _signed_in(context, here)
    time = page.locator("[aria-labelledby=recent] time")
    await expect(time).to_have_text("just now")
    await expect(time).to_have_attribute("title", "2023-11-14 17:13 GMT-5 (2023-11-14 22:13 UTC)")
    await page.goto(f"{here.address}/runs/{run.number}")
    await expect(page.locator('time[title="2023-11-14 22:13 UTC"]').first).to_have_text(
        "2023-11-14 17:13 GMT-5"
    )


async def test_end_of_a_run_changes_its_icon_and_is_told_to_who_asked(
    here: Installation, context: BrowserContext
) -> None:
    await context.grant_permissions(["notifications"], origin=here.address)
    await context.add_init_script(
        """window.told = [];
        window.Notification = class { static requestPermission = async () => "granted";
          constructor(title) { window.told.push(title); } close() {} };"""
    )
    run = await here.start_run()
    page = await _signed_in(context, here)
    await page.goto(f"{here.address}/runs/{run.number}")
    icon = page.locator("link[rel=icon]")
    assert "state_busy" in (await icon.get_attribute("href") or "")
    await page.get_by_role("button", name="Notify me at the end").click()
    await expect(page.locator("#notice")).to_have_attribute("aria-pressed", "true")
    await here.finish(run)
    await expect(page).to_have_title("✓ migrate #1")
    await page.wait_for_function("window.told.length === 1")
    assert await page.evaluate("window.told") == ["✓ migrate #1: Succeeded"]
    assert "state_good" in (await icon.get_attribute("href") or "")
    await expect(page.locator("#notice")).to_have_count(0)


async def test_overview_prints_without_its_buttons(here: Installation, context: BrowserContext) -> None:
    await here.start_run()
    page = await _signed_in(context, here)
    await expect(page.locator("[aria-labelledby=running] .pill")).to_be_visible()
    await page.emulate_media(media="print")
    await expect(page.locator(".out")).to_be_hidden()
    await expect(page.locator("[aria-labelledby=running] .pill")).to_be_visible()
