"""Every page in a real browser: axe-core finds nothing, it fits any width, and the first visit is light."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright._impl._api_structures import SetCookieParam
from playwright.async_api import Browser, Page
from starlette.applications import Starlette

from bot.catalog.catalog import Job
from bot.store import runs
from executor.logs.logfile import LogWriter
from tests import npm
from tests.bot.house import House, house
from tests.webhooks.sites import composed

pytestmark = pytest.mark.browser

AXE = "4.11.0"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WIDTHS = (360, 1280, 2560)
WEIGHT = 40 * 1024
"""Bytes of the first page with all that it loads, as they are sent."""
PAGES = (
    "/",
    "/jobs",
    "/jobs?by=repository&result=failed&q=c",
    "/jobs/check",
    "/jobs/deploy/run",
    "/jobs/nightly/schedule",
    "/jobs/check/definition",
    "/jobs/check/rules",
    "/new",
    "/jobs/fresh/edit",
    "/jobs/fresh/delete",
    "/jobs/check/edit",
    "/runs/1",
    "/runs/2",
    "/runs/3",
    "/runs/1/search?q=red&case=1",
    "/runs/1/first-error",
    "/builds/1",
    "/deliveries",
    "/api/",
)
NIGHTLY = 'nightly: {image: shop, command: "true", schedule: {cron: "30 2 * * *", timezone: Europe/Helsinki}}'
LOG = (
    b"::group::Colours\n\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[0m plain\n" * 20
    + b"::endgroup::\n"
    + b"w" * 3000
    + b"\n"
)


@asynccontextmanager
async def served(home: House) -> AsyncIterator[tuple[str, SetCookieParam]]:
    """The address of the site, and the cookie of an admin."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        site = composed(home.bot, url=address)
        access = site._access()
        value = await access.login_person("octocat", address="", agent="")
        app = Starlette(routes=site.routes())
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, access_log=False))
        serving = asyncio.ensure_future(server.serve([listener]))
        try:
            assert value is not None
            yield address, {"name": access.cookie, "value": value, "url": address}
        finally:
            site.streams.close()
            server.should_exit = True
            await serving


async def fill(home: House) -> None:
    """A job of the API, a run that failed, one that succeeded, one that goes on, and a build."""
    await home.push("a" * 40)
    fresh = Job(name="fresh", command=f"echo {'w' * 300}\n" * 3, image="shop", description="d" * 200)
    await home.tools.registry.put(fresh, actor="token:ops", expected=lambda version: True)
    for number, (result, code) in enumerate((("failed", 3), ("succeeded", 0), (None, None)), 1):
        await home.types("run check")
        run = await home.run(number)
        writer = LogWriter(home.tools.logs.path(run.name), 2**20)
        writer.write(LOG)
        writer.finish()
        await home.store.write(lambda s, n=number, r=result, c=code: _move(s, home, n, r, c))  # type: ignore[misc]


def _move(session: Any, home: House, number: int, result: str | None, code: int | None) -> None:
    run = runs.get(session, number)
    assert run is not None
    run.state, run.started_at = ("running", home.now - 75)
    if result is not None:
        run.state, run.result, run.exit_code, run.finished_at = "finished", result, code, home.now - 5
    session.add(run)


async def violations(page: Page, axe: str, *rules: str) -> list[str]:
    """What axe-core finds against its rules of these names or tags, else all of `RULES`; one line each."""
    await page.evaluate(axe)
    found = await page.evaluate(
        "async rules => (await axe.run({runOnly: rules})).violations", list(rules or RULES)
    )
    return [
        f"{each['id']}: {each['help']} ({node['html'][:120]})" for each in found for node in each["nodes"][:2]
    ]


async def too_wide(page: Page) -> list[str]:
    """At which widths the page has to be moved sideways."""
    wrong = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 900})
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            wrong.append(f"{wide} pixels at {width}")
    return wrong


async def test_pages_are_accessible_and_fit_any_width(tmp_path: Path, browser: Browser) -> None:
    """In the dark everything is the same but for the colours."""
    axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
    changes = {"pages": {"admins": ["github:octocat"]}}
    async with house(tmp_path, changes=changes, jobs=NIGHTLY) as home, filled(home) as (address, cookie):
        wrong: list[str] = []
        context = await browser.new_context(color_scheme="light", reduced_motion="reduce")
        await context.add_cookies([cookie])
        page = await context.new_page()
        page.on("console", lambda told: wrong.append(told.text) if told.type == "error" else None)
        for path in PAGES:
            await page.emulate_media(color_scheme="light")
            await page.goto(f"{address}{path}")
            found = [
                *await violations(page, axe, "wcag2a", "wcag2aa", "best-practice"),
                *await too_wide(page),
            ]
            await page.emulate_media(color_scheme="dark")
            found += await violations(page, axe, "color-contrast", "link-in-text-block")
            wrong += [f"{path}: {each}" for each in found]
        await context.close()
        assert not wrong, "\n".join(wrong)


async def test_first_visit_is_light(tmp_path: Path, browser: Browser) -> None:
    async with house(tmp_path) as home, filled(home) as (address, cookie):
        context = await browser.new_context()
        await context.add_cookies([cookie])
        page = await context.new_page()
        client = await context.new_cdp_session(page)
        await client.send("Network.enable")
        sent: list[float] = []
        client.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
        await page.goto(address)
        assert 0 < sum(sent) < WEIGHT
        await context.close()


@asynccontextmanager
async def filled(home: House) -> AsyncIterator[tuple[str, SetCookieParam]]:
    """The site with something on every page."""
    await fill(home)
    async with served(home) as made:
        yield made
