"""The log page in a real browser: live, in colour, without JavaScript, and closed to strangers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette

from bot.access import links
from bot.states import State
from bot.store import Store, runs, tokens
from bot.tables import Run
from bot.text.vocabulary import duration
from executor.logs.logfile import LogWriter
from executor.logs.store import LogStore
from executor.spec import Secret
from tests import databases
from tests.webhooks import sites
from webhooks.access import new_token, token_hash

pytestmark = pytest.mark.browser

KEYS = links.derive([Secret("s3cret")])
NOW = 1_700_000_000.0
LIMIT = 2**20
CONTRAST = """line => {
  const light = colour => {
    const parts = colour.match(/[\\d.]+/g).map(each => ((each / 255 + .055) / 1.055) ** 2.4);
    return .2126 * parts[0] + .7152 * parts[1] + .0722 * parts[2] + .05;
  };
  let paper = line;
  while (getComputedStyle(paper).backgroundColor === "rgba(0, 0, 0, 0)") paper = paper.parentElement;
  const ratio = light(getComputedStyle(line).color) / light(getComputedStyle(paper).backgroundColor);
  return Math.max(ratio, 1 / ratio);
}"""
"""How far the words stand out from what is behind them: https://www.w3.org/TR/WCAG22/#contrast-minimum"""


class Installation:
    """One run that writes its log, and the pages on a loopback port."""

    def __init__(self, store: Store, logs: LogStore, run: Run) -> None:
        self.store = store
        self.logs = logs
        self.run = run
        self.writer = LogWriter(logs.path(run.name), LIMIT)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.site = sites.site(store, logs, KEYS, self.address, lambda: NOW, {"migrate": "Migrations"})
        app = Starlette(routes=self.site.routes())
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))

    def write(self, data: bytes) -> None:
        self.writer.write(data)
        self.logs.wake(self.run.name)

    async def finish(self) -> None:
        self.writer.finish()
        self.logs.wake(self.run.name)
        await move(self.store, self.run, State.FINISHED)

    def link(self) -> str:
        path = f"/runs/{self.run.number}"
        return f"{self.address}{path}?{links.sign(path, expires=int(NOW) + 600, keys=KEYS)}"


async def move(store: Store, run: Run, to: State) -> None:
    facts: runs.RunUpdate = {"result": "failed", "exit_code": 3} if to is State.FINISHED else {}
    moved = await store.write(
        lambda session: runs.move(session, run.identity, to, owner="one", now=NOW, **facts)
    )
    assert moved is not None


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with await Store.open(databases.sqlite(tmp_path / "errand.db"), owner="one") as store:
        row = Run(key="k", name="", job="migrate", cause="comment", actor="github:octocat", created_at=0.0)
        run, _ = await store.write(lambda session: runs.enqueue(session, row, [], now=NOW, nonce="abc"))
        await store.write(lambda session: runs.claim(session, owner="one", now=NOW, lease=60.0, limit=1))
        await move(store, run, State.STARTING)
        await move(store, run, State.RUNNING)
        installation = Installation(store, LogStore(tmp_path / "logs", LIMIT), run)
        serving = asyncio.ensure_future(installation.server.serve([installation.socket]))
        yield installation
        installation.site.streams.close()
        installation.server.should_exit = True
        await serving


async def test_log_appears_while_it_is_written(here: Installation, page: Page) -> None:
    here.write(b"first\n")
    await page.goto(here.link())
    await expect(page.locator("#live")).to_have_text("live")

    here.write(b"second\nthi")
    await expect(page.locator("#L2")).to_have_text("second")
    await expect(page.locator("#L3")).to_have_text("thi")
    here.write(b"rd\r\x1b[K100%\n")
    await expect(page.locator("#L3")).to_have_text("100%")
    await here.finish()

    await expect(page.locator(".title .pill")).to_have_text("Failed")
    await expect(page.locator("#live")).to_have_text("Failed")
    await expect(page.locator("#follow")).to_have_count(0)
    await expect(page).to_have_title("✗ migrate #1")
    await expect(page.locator("#lines > div")).to_have_text(["first", "second", "100%"])
    assert await page.locator("#L1").evaluate(CONTRAST) > 7


async def test_log_goes_on_after_the_connection_was_lost(here: Installation, page: Page) -> None:
    here.write(b"one\n\x1b[31mtw")
    await page.goto(here.link())
    await expect(page.locator("#live")).to_have_text("live")

    await page.context.set_offline(True)
    for connection in here.server.server_state.connections.copy():
        connection.transport.abort()
    here.write(b"o\nthree\x1b[0m\n")
    await page.context.set_offline(False)
    await here.finish()

    await expect(page.locator("#lines > div")).to_have_text(["one", "two", "three"], timeout=15_000)
    await expect(page.locator("#L3 span")).to_have_class("f1")


async def test_colours_are_shown(here: Installation, page: Page) -> None:
    here.write(
        b"\x1b[31mred\x1b[0m \x1b[48;5;21mblue\x1b[0m \x1b[1;4mloud\x1b[0m \x1b[38;2;1;2;3mexact\x1b[0m\n"
    )
    await page.goto(here.link())

    spans = page.locator("#L1 span")
    await expect(spans.nth(0)).to_have_css("color", "rgb(255, 107, 120)")
    await expect(spans.nth(1)).to_have_css("background-color", "rgb(0, 0, 255)")
    await expect(spans.nth(2)).to_have_css("font-weight", "700")
    await expect(spans.nth(2)).to_have_css("text-decoration-line", "underline")
    color = await spans.nth(3).evaluate("one => getComputedStyle(one).color")
    assert color in ("rgb(1, 2, 3)", "rgb(8, 8, 8)", "rgb(0, 0, 0)")  # exact where the browser can


async def test_markup_in_the_log_stays_text(here: Installation, page: Page) -> None:
    here.write(b"<img src=x onerror=document.title='hit'>\n")
    await page.goto(here.link())
    here.write(b"<script>document.title='hit'</script>\n")

    await expect(page.locator("#L2")).to_have_text("<script>document.title='hit'</script>")
    assert await page.locator("#lines img, #lines script").count() == 0
    assert await page.title() == "● migrate #1"


async def test_page_without_javascript_shows_the_log(here: Installation, browser: Browser) -> None:
    here.write(b"one\n\x1b[32mtwo\x1b[0m")
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(here.link())

    await expect(page.locator("#lines > div")).to_have_text(["one", "two"])
    await expect(page.locator("noscript")).to_be_visible()
    await expect(page.locator("#follow")).to_be_hidden()
    await page.get_by_role("link", name="Text", exact=True).click()
    assert "two" in await page.locator("body").inner_text()
    await context.close()


async def test_stranger_sees_nothing_and_signs_in_with_a_token(here: Installation, page: Page) -> None:
    here.write(b"internal\n")
    text = new_token()
    await here.store.write(lambda session: tokens.add(session, name="ci", hash=token_hash(text), now=NOW))
    await page.goto(f"{here.address}/runs/1")
    seen = await page.locator("body").inner_text()
    assert "internal" not in seen
    assert "migrate" not in seen

    await page.get_by_label("API token").fill("errand_wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_have_text("That is no token of this installation.")
    await page.get_by_label("API token").fill(text)
    await page.get_by_role("button", name="Sign in").click()

    await expect(page.locator("#L1")).to_have_text("internal")
    assert page.url == f"{here.address}/runs/1"
    await page.get_by_role("link", name="Errand").click()
    await expect(page.get_by_role("heading", name="Recent runs")).to_be_visible()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_label("API token")).to_be_visible()


async def test_following_stops_when_the_reader_scrolls_up(here: Installation, page: Page) -> None:
    here.write(b"".join(b"line %d\n" % number for number in range(1, 400)))
    await page.goto(here.link())
    here.write(b"line 400\n")
    await expect(page.locator("#L400")).to_be_in_viewport()

    await page.mouse.wheel(0, -2000)
    await expect(page.locator("#follow")).to_have_attribute("aria-pressed", "false")
    here.write(b"line 401\n")
    await expect(page.locator("#L401")).to_be_attached()
    await expect(page.locator("#L401")).not_to_be_in_viewport()

    await page.locator("#follow").click()
    here.write(b"line 402\n")
    await expect(page.locator("#L402")).to_be_in_viewport()


async def test_number_of_a_line_is_a_link_to_it(here: Installation, page: Page) -> None:
    here.write(b"".join(b"line %d\n" % number for number in range(1, 400)))
    await page.goto(f"{here.link()}#L120")
    await expect(page.locator("#L120")).to_be_in_viewport()

    await page.locator("#L121").click(position={"x": 20, "y": 5})

    assert page.url.endswith("#L121")


async def test_lines_are_copied_as_they_were_written(here: Installation, page: Page) -> None:
    here.write(b"one\n\n  three\n\n\nsix\n")
    await page.goto(here.link())
    await expect(page.locator("#L6")).to_have_text("six")

    copied = await page.evaluate(
        "() => { getSelection().selectAllChildren(lines); return String(getSelection()); }"
    )

    assert copied.rstrip("\n") == "one\n\n  three\n\n\nsix"


async def _signed_in(page: Page, here: Installation) -> None:
    text = new_token()
    await here.store.write(lambda session: tokens.add(session, name="me", hash=token_hash(text), now=NOW))
    await page.goto(f"{here.address}/login")
    await page.get_by_label("token").fill(text)
    await page.get_by_role("button").click()
    await page.wait_for_url(f"{here.address}/")


async def test_overview_follows_what_happens(here: Installation, page: Page) -> None:
    await _signed_in(page, here)
    await expect(page.locator(".runs .pill")).to_have_text("Running")
    await expect(page.locator(".tally")).to_contain_text("1 running")
    await here.finish()
    await expect(page.locator("section", has=page.locator("#failed")).locator(".pill")).to_have_text("Failed")
    await expect(page.locator(".tally")).to_contain_text("1 failed within a day")
    assert await page.locator("[data-since]").count() == 0


async def test_clock_that_ticks_writes_durations_as_everybody_does(here: Installation, page: Page) -> None:
    await page.add_init_script("const begun = Date.now(); Date.now = () => begun;")
    await page.goto(here.link())
    lengths = (0, 12, 60, 75, 3600, 7500, 200_000)
    await page.evaluate(
        """lengths => {
          for (const each of lengths) {
            const clock = document.createElement("b");
            clock.className = "clock";
            clock.dataset.since = Number(document.body.dataset.now) - each - 0.3;
            document.body.append(clock);
          }
        }""",
        lengths,
    )
    await expect(page.locator("b.clock").first).to_have_text("0s")
    assert await page.locator("b.clock").all_text_contents() == [duration(each) for each in lengths]


async def test_lists_fit_a_phone_with_their_dates(here: Installation, page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await here.finish()
    await _signed_in(page, here)
    rows = {"/": (".runs:has(.exit)", ".entry-name"), "/jobs/migrate": (".runs", ".what")}
    for address, (runs_of, name) in rows.items():
        await page.goto(here.address + address)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        row = await page.locator(f"{runs_of} li").first.bounding_box()
        assert row is not None
        for part in (".pill", name, "time", ".took", ".exit"):
            box = await page.locator(f"{runs_of} {part}").first.bounding_box()
            assert box is not None, part
            assert box["width"] > 10, part
            assert row["x"] <= box["x"], part
            assert box["x"] + box["width"] <= row["x"] + row["width"], part
