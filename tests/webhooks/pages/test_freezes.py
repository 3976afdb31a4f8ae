"""Freezes on pages: seen where they matter, begun and ended by forms, and overridden in the Run form."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, expect

from bot.store import freezes
from tests import npm
from tests.bot.house import House, house
from tests.webhooks.pages.browsers import OWN, of_person
from tests.webhooks.pages.test_job_browser import opened
from tests.webhooks.pages.test_manners import AXE, served, too_wide, violations

JOBS = 'ship: {image: shop, command: "true", lock: prod}'


def weekend(now: float) -> dict[str, object]:
    """A freeze of the file that begins within a day."""
    day = datetime.fromtimestamp(now + 3600, UTC)
    return {
        "every": f"{day:%a %H:%M} to {datetime.fromtimestamp(now + 90000, UTC):%a %H:%M}".upper().replace(
            "TO", "to"
        ),
        "why": "weekly",
    }


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    now = datetime.now(UTC).timestamp()
    changes = {"override": ["github:octocat"], "freeze": [weekend(now)]}
    async with house(tmp_path, changes=changes, jobs=JOBS) as made:
        made.github.add_person("acme/shop", "ada", "write")
        yield made


@pytest.fixture
async def ada(home: House) -> AsyncIterator[httpx.AsyncClient]:
    async with await of_person(home, "ada") as client:
        yield client


async def frozen(home: House) -> list[str | None]:
    """Why, of each freeze that somebody began."""
    return [row.why for row in await home.store.read(lambda s: freezes.going(s, now=home.now))]


async def test_freeze_is_begun_and_ended_by_forms(home: House, ada: httpx.AsyncClient) -> None:
    assert "To come" in (await ada.get("/")).text
    fields = {"why": "<b>fire</b>", "duration": "2h", "lock": "prod", "job": "", "environment": ""}
    assert (await ada.post("/freeze", data=fields)).status_code == 403  # from no form of ours
    sent = await ada.post("/freeze", data=fields, headers=OWN)
    assert (sent.status_code, sent.headers["location"]) == (303, "/#freezes")
    assert await frozen(home) == ["<b>fire</b>"]
    page = (await ada.get("/")).text
    assert ("lock prod" in page, "&lt;b&gt;fire" in page, 'action="/thaw"' in page) == (True, True, True)
    sent = await ada.post("/thaw", data={"lock": "prod"}, headers=OWN)
    assert sent.status_code == 303
    assert await frozen(home) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"duration": "soon"}, 409),
        ({"job": "ghost"}, 409),
        ({"lock": "a\0b"}, 404),
        ({"why": "x" * 201}, 409),
    ],
)
async def test_what_is_no_freeze_is_told(
    home: House, ada: httpx.AsyncClient, fields: dict[str, str], status: int
) -> None:
    assert (await ada.post("/freeze", data=fields, headers=OWN)).status_code == status
    assert await frozen(home) == []


async def test_list_of_jobs_finds_what_is_frozen(home: House, ada: httpx.AsyncClient) -> None:
    await home.says('/job freeze "fire" --lock prod')
    page = (await ada.get("/jobs?frozen=1")).text
    assert ('href="/jobs/ship"' in page, 'href="/jobs/check"' in page) == (True, False)
    assert ">frozen</span>" in page


async def test_run_form_says_it_and_lets_override_whom_that_names(
    home: House, ada: httpx.AsyncClient
) -> None:
    await home.says('/job freeze "fire"')
    page = (await ada.get("/jobs/check/run")).text
    assert ("everything is frozen" in page, 'name="override"' in page) == (True, True)
    refused = await ada.post("/jobs/check/run", data={"override": "please"}, headers=OWN)
    assert (refused.status_code, "github:octocat" in refused.text) == (409, True)
    frozen = await ada.post("/jobs/check/run", data={}, headers=OWN)
    assert (frozen.status_code, "is not started" in frozen.text) == (409, True)
    async with await of_person(home, "octocat") as octocat:
        sent = await octocat.post("/jobs/check/run", data={"override": "customers"}, headers=OWN)
        assert sent.headers["location"] == "/runs/1"
        assert "In spite of a freeze: customers" in (await octocat.get("/runs/1")).text


async def test_times_to_come_say_which_freeze_they_fall_into(tmp_path: Path) -> None:
    weekly = {"every": "TUE 16:00 to WED 16:00", "why": "<b>stocktaking</b>", "jobs": ["nightly"]}
    daily = 'nightly: {image: shop, command: "true", schedule: {cron: "30 2 * * *"}}'
    async with house(
        tmp_path, changes={"freeze": [weekly], "override": ["github:octocat"]}, jobs=daily
    ) as home:
        home.now = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()  # a Sunday
        async with await of_person(home, "octocat") as octocat:
            path = "/jobs/nightly/schedule"
            page = (await octocat.get(path)).text
            said = "is frozen until 2026-12-02 16:00 UTC by app.yaml: &lt;b&gt;stocktaking"
            assert (page.count(">frozen</span>"), said in page) == (2, True)  # beyond a week, too
            row = r'<td><span>(\w{3} [\d-]+)</span> <span>02:30 UTC</span></td>.*?</tr>\s*<tr class="same">'
            assert re.findall(row, page) == ["Wed 2026-12-02", "Wed 2026-12-09"]
            await home.says('/job freeze "sale" for 1d')
            page = (await octocat.get(path)).text
            assert page.count(">frozen</span>") == 3
            assert "everything is frozen until 2026-11-30 12:00 UTC by octocat: sale" in page
            await home.says("/job thaw")
            assert "sale" not in (await octocat.get(path)).text.partition("<main")[2]


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
async def test_freeze_and_thaw_by_clicking(tmp_path: Path, browser: Browser, scripts: bool) -> None:
    now = datetime.now(UTC).timestamp()
    async with (
        house(
            tmp_path, changes={"freeze": [weekend(now)], "override": ["github:octocat"]}, jobs=JOBS
        ) as home,
        served(home) as (address, cookie),
        opened(browser, cookie, scripts=scripts) as page,
    ):
        await page.goto(address)
        form = page.locator("#freeze")
        await form.locator("summary").click()
        await form.get_by_label("Why").fill("Black Friday")
        await form.get_by_label("For", exact=True).fill("2h")
        await page.get_by_role("button", name="Freeze").click()
        row = page.get_by_role("listitem").filter(has_text="Black Friday")
        await expect(row).to_contain_text("Frozen")
        if scripts:
            axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
            await page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                assert await violations(page, axe) == []
            assert await too_wide(page) == []
        await page.get_by_role("button", name="Thaw everything").click()
        await expect(row).to_have_count(0)
        assert await frozen(home) == []
