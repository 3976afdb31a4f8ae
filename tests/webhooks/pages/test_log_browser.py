"""Long logs and folded ones in a real browser: windows, lines, matches, keys; also without JavaScript."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from bot.states import State
from executor.logs import moments
from executor.logs.logfile import LogWriter
from tests.webhooks.pages.test_browser import Installation, here, move

__all__ = ["here"]
pytestmark = pytest.mark.browser

MEGABYTES = 20
ROW = b"12:00:00 \x1b[32mINFO\x1b[0m row %07d is one of very many, and no longer than others are\n"
BLOCK = 1000
MOST_ROWS = 5000
"""Lines that a page may hold, whatever is loaded into it."""


async def _long(here: Installation) -> int:
    """Makes a finished run with a long log, the match in its middle; gives its number of lines."""
    limit = 4 * MEGABYTES << 20
    here.writer = LogWriter(here.logs.path(here.run.name), limit)
    number, size = 0, 0
    while size < MEGABYTES << 20:
        block = b"".join(ROW % (number + each) for each in range(BLOCK))
        here.writer.write(block)
        number, size = number + BLOCK, size + len(block)
    here.writer.finish()
    here.logs.wake(here.run.name)
    await move(here.store, here.run, State.FINISHED)
    return number


async def _rows(page: Page) -> int:
    return await page.locator("#lines [data-n]").count()


async def test_long_log_stays_light_and_every_line_is_reached(here: Installation, page: Page) -> None:
    lines = await _long(here)
    await page.goto(here.link())
    await expect(page.locator(f"#L{lines}")).to_be_attached()
    assert await _rows(page) <= 1000

    for _ in range(7):  # more than the page keeps
        first = await page.locator("#lines [data-n]").first.get_attribute("data-n")
        await page.get_by_role("link", name="Earlier lines").click()
        await expect(page.locator("#lines [data-n]").first).not_to_have_attribute("data-n", str(first))
    assert await _rows(page) <= MOST_ROWS
    numbers = await page.locator("#lines [data-n]").evaluate_all(
        "all => all.map(one => Number(one.dataset.n))"
    )
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    await expect(page.get_by_role("link", name="Later lines")).to_be_visible()

    await page.get_by_label("Find in the whole log").fill("ROW 0100000")
    await page.keyboard.press("Enter")
    await expect(page.locator("#found")).to_have_text("1 of 1")
    await expect(page.locator("#L100001")).to_be_in_viewport()
    await expect(page.locator("#L100001")).to_have_class(re.compile("hit"))
    assert await _rows(page) <= MOST_ROWS

    await page.locator("#lines").focus()
    await page.keyboard.press("g")
    await expect(page.locator("#L1")).to_be_in_viewport()
    await page.keyboard.press("Shift+G")
    await expect(page.locator(f"#L{lines}")).to_be_in_viewport()


async def test_links_to_lines_and_ranges_work_by_mouse_and_keys(here: Installation, page: Page) -> None:
    await _long(here)
    await page.goto(f"{here.link()}#L120-L130")
    await expect(page.locator("#L120")).to_be_in_viewport()
    await expect(page.locator(".marked")).to_have_count(11)

    await page.locator("#L122").click(position={"x": 20, "y": 5})
    await page.locator("#L125").click(position={"x": 20, "y": 5}, modifiers=["Shift"])
    assert page.url.endswith("#L122-L125")
    await page.locator("#lines").focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Shift+ArrowDown")
    assert page.url.endswith("#L126-L127")

    await page.keyboard.press("w")
    await expect(page.locator("#wrap")).to_have_attribute("aria-pressed", "false")
    await page.keyboard.press("?")
    await expect(page.locator("#keys")).to_contain_text("first error")
    await page.keyboard.press("Escape")
    await page.get_by_label("Go to line").fill("777")
    await page.keyboard.press("Enter")
    await expect(page.locator("#L777")).to_be_in_viewport()
    await page.locator("#lines").focus()
    await page.keyboard.press("e")
    await expect(page.get_by_text("No line of the log looks like an error.")).to_be_visible()


async def test_matches_are_walked_by_keys(here: Installation, page: Page) -> None:
    here.write(b"".join(b"row %d\n" % number for number in range(3000)))
    await here.finish()
    await page.goto(here.link())
    await page.locator("#lines").focus()
    await page.keyboard.press("/")
    await page.keyboard.type("row 1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#found")).to_have_text("1 of 200+")
    await page.locator("#lines").focus()
    await page.keyboard.press("n")
    await expect(page.locator("#found")).to_have_text("2 of 200+")
    await expect(page.locator("#L11")).to_be_in_viewport()
    await page.keyboard.press("Shift+N")
    await page.keyboard.press("Shift+N")
    await expect(page.locator("#found")).to_have_text("200 of 200+")
    await page.keyboard.press("n")
    await expect(page.locator("#found")).to_have_text("201 of 400+")


async def test_groups_fold_as_they_end_and_open_for_a_link(here: Installation, page: Page) -> None:
    here.write(b"::group::Install\none\ntwo\n")
    await page.goto(here.link())
    await expect(page.locator("#live")).to_have_text("live")
    fold = page.locator("details.fold")
    await expect(fold).to_have_attribute("open", "")
    here.write(b"thr")
    await expect(page.locator("#L4")).to_have_text("thr")
    here.write(b"ee\n::endgroup::\nafter\n::group::Tests\nError: it broke\n::endgroup::\n")
    await expect(fold).to_have_count(2)
    await expect(fold.nth(0)).not_to_have_attribute("open", "")
    await expect(fold.nth(1)).to_have_attribute("open", "")
    await expect(page.locator("summary")).to_have_text(["Install", "Tests"])
    live = await page.locator("#lines").evaluate("lines => lines.innerHTML")

    await here.finish()
    await page.reload()
    assert await page.locator("#lines").evaluate("lines => lines.innerHTML") == live
    await page.evaluate("location.hash = 'L3'")
    await expect(page.locator("#L3")).to_be_in_viewport()


class Clock:
    """Milliseconds since the epoch, as they are set."""

    now = 1_800_000_000_000

    def time_ns(self) -> int:
        return self.now * 1_000_000


async def test_times_of_lines_are_those_of_the_readers_clock(
    here: Installation, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(moments, "time", clock)
    here.write(b"".join(b"row %d\n" % number for number in range(1, 60)) + b"::group::Install\none\n")
    context = await browser.new_context(timezone_id="Asia/Tokyo", viewport={"width": 390, "height": 800})
    page = await context.new_page()
    await page.goto(here.link())
    await page.locator("#lines").focus()
    await page.keyboard.press("t")
    first = page.locator("#L1")
    await expect(first).to_have_attribute("data-at", "17:00:00.000")
    await expect(first).to_have_attribute("data-day", "2027-01-15")
    await expect(page.locator("summary")).to_have_attribute("data-at", "17:00:00.000")
    await expect(page.locator("#live")).to_have_text("live")
    clock.now += 61_500
    here.write(b"later\n")
    await expect(page.locator("#L62")).to_have_attribute("data-at", "17:01:01.500")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator("#times").click()
    await expect(first).not_to_have_attribute("data-at", re.compile("."))
    assert "times" not in page.url
    await context.close()


async def test_long_log_without_javascript(here: Installation, browser: Browser) -> None:
    lines = await _long(here)
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(here.link())
    await page.get_by_role("link", name="Earlier lines").click()
    await expect(page.locator(f"#L{lines - 1000}")).to_be_attached()
    assert await _rows(page) <= 1000
    await page.get_by_role("link", name="End", exact=True).click()
    await expect(page.locator(f"#L{lines}")).to_be_attached()
    await page.get_by_label("Go to line").fill("777")
    await page.get_by_role("button", name="Go", exact=True).click()
    await expect(page.locator("#L777")).to_be_attached()

    await page.get_by_label("Find in the whole log").fill("row 0012345")
    await page.get_by_role("button", name="Find", exact=True).click()
    await expect(page.get_by_text("1 line has it.")).to_be_visible()
    await page.locator(".matches a").click()
    await expect(page.locator("#L12346")).to_be_in_viewport()
    await page.get_by_role("link", name="First error").click()
    await expect(page.get_by_text("No line of the log looks like an error.")).to_be_visible()
    await context.close()
