"""A link from Slack logs in who asked for it: once, soon, by a button; nobody else, and no unfurler."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import text
from starlette.applications import Starlette

from bot.access import links
from bot.messages.slack.actions import Action
from demo.slack import View
from tests import npm
from tests.bot.handlers.slack.hands import OCTOCAT, let_in, text_of
from tests.bot.house import House, house
from tests.webhooks.pages.test_manners import AXE, served, too_wide, violations
from tests.webhooks.sites import composed

URL = "https://errand.example.com"
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    changes = {"slack": {"people": {"U0OCTOCAT": "octocat", "U0STRANGER": "stranger"}}}
    async with house(tmp_path, changes=changes) as made:
        let_in(made)
        yield made


@pytest.fixture
async def pages(home: House) -> AsyncIterator[httpx.AsyncClient]:
    site = composed(home.bot, url=URL)
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        yield client


def link_in(view: View) -> str:
    """The path of the link that a modal has."""
    found = re.search(r'"url": "https://errand\.example\.com(/login/slack[^"]+)"', text_of(view.content))
    assert found is not None
    return found[1]


async def asked(home: House, user: str = OCTOCAT) -> str:
    """The link that the command opens."""
    await home.slack.slash("login", user=user)
    return link_in(home.slack.views[-1])


def ticket_of(link: str) -> dict[str, str]:
    """What the button on its page sends."""
    return {"ticket": parse_qs(urlsplit(link).query)["ticket"][0]}


async def test_link_logs_in_once_when_its_button_is_pressed(home: House, pages: httpx.AsyncClient) -> None:
    link = await asked(home)
    for _ in range(3):  # who unfurls or fetches it beforehand takes nothing
        shown = await pages.get(link)
        assert (shown.status_code, "Sign in as octocat" in shown.text) == (200, True)
        assert shown.headers["referrer-policy"] == "same-origin"
    assert (await pages.get("/")).status_code == 401
    sent = await pages.post("/login/slack", data=ticket_of(link), headers=OWN)
    assert (sent.status_code, sent.headers["location"]) == (303, "/")
    assert "__Host-errand=person_" in sent.headers["set-cookie"]
    assert (await pages.get("/jobs/check")).status_code == 200
    pages.cookies.clear()
    again = await pages.post("/login/slack", data=ticket_of(link), headers=OWN)
    assert (again.status_code, "was used" in again.text) == (403, True)
    assert (await pages.get("/")).status_code == 401


async def test_link_is_in_no_post_and_only_who_asked_sees_it(home: House) -> None:
    link = await asked(home)
    signature = ticket_of(link)["ticket"].rsplit(".", 1)[1]
    for table in ("posts", "deliveries"):
        query = text(f"SELECT * FROM {table}")
        assert signature not in await home.store.read(lambda s, q=query: repr(s.execute(q).all()))  # type: ignore[misc]
    assert home.slack.views[-1].user == OCTOCAT


async def test_link_lasts_ten_minutes(home: House, pages: httpx.AsyncClient) -> None:
    link = await asked(home)
    home.now += links.TICKET_LIFE
    assert (await pages.get(link)).status_code == 403
    assert (await pages.post("/login/slack", data=ticket_of(link), headers=OWN)).status_code == 403


async def test_form_of_another_site_logs_nobody_in(home: House, pages: httpx.AsyncClient) -> None:
    link = await asked(home)
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert (await pages.post("/login/slack", data=ticket_of(link), headers=headers)).status_code == 403
    assert (await pages.post("/login/slack", data=ticket_of(link), headers=OWN)).status_code == 303


@pytest.mark.parametrize("wrong", ["", "x", "octocat.9999999999.nonce-nonce.{}", "root", "\x00"])
async def test_ticket_that_is_none_opens_nothing(home: House, pages: httpx.AsyncClient, wrong: str) -> None:
    ticket = ticket_of(await asked(home))["ticket"]
    forged = ticket.replace("octocat", "root") if wrong == "root" else wrong.format("x" * 43)
    assert (await pages.get("/login/slack", params={"ticket": forged})).status_code == 403
    assert (await pages.post("/login/slack", data={"ticket": forged}, headers=OWN)).status_code == 403


async def test_somebody_without_rights_gets_no_session(home: House, pages: httpx.AsyncClient) -> None:
    link = await asked(home, "U0STRANGER")
    sent = await pages.post("/login/slack", data=ticket_of(link), headers=OWN)
    assert (sent.status_code, "may run nothing here" in sent.text) == (403, True)


async def test_who_is_known_by_no_login_gets_no_link(home: House) -> None:
    home.slack.add_person("nobody", id="U0NOBODY")
    await home.slack.slash("login", user="U0NOBODY")
    assert not [view for view in home.slack.views if "login/slack" in text_of(view.content)]


async def test_button_of_home_opens_the_same(home: House, pages: httpx.AsyncClient) -> None:
    await home.slack.open_home(user=OCTOCAT)
    await home.slack.press(home.slack.homes[OCTOCAT], Action.LOGIN, user=OCTOCAT)
    link = link_in(home.slack.views[-1])
    assert (await pages.get(link)).status_code == 200


async def test_comment_and_mention_get_no_link(home: House) -> None:
    (told,) = await home.says("/job login")
    assert ("`/job login` as a slash command" in told, "ticket" in told) == (True, False)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_of_the_link_is_accessible_and_its_button_works_without_scripts(
    tmp_path: Path, browser: Browser, scheme: str
) -> None:
    async with house(tmp_path) as home, served(home) as (address, _):
        for scripts in (True, False):
            link = urlsplit(home.bot.addresses.entrance("octocat", f"nonce-{scripts}"))
            context = await browser.new_context(
                java_script_enabled=scripts,
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page = await context.new_page()
            await page.goto(f"{address}{link.path}?{link.query}")
            if scripts:
                axe = (npm.package("axe-core", AXE, "axe") / "axe.min.js").read_text()
                assert await violations(page, axe) == []
                assert await too_wide(page) == []
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_url(f"{address}/")
            await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
            await page.goto(f"{address}{link.path}?{link.query}")
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("alert")).to_contain_text("was used")
            await context.close()
