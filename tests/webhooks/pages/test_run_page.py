"""The page of a run in a house: where what it shows leads, and what can be done there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.access import links
from bot.tables import Post, Run
from tests.bot.house import House, house
from tests.webhooks.pages.browsers import of_person

PINNED = f"ghcr.io/acme/shop@sha256:{'d' * 64}"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


@pytest.fixture
async def browser(home: House) -> AsyncIterator[httpx.AsyncClient]:
    """In which `octocat` has logged in, who may write to the shop."""
    async with await of_person(home, "octocat") as client:
        yield client


def addresses(page: str) -> dict[str, str]:
    """What the links of a page lead to, by their words."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", words).strip(): address for address, words in found}


async def test_facts_lead_to_where_they_come_from(home: House, browser: httpx.AsyncClient) -> None:
    for _ in range(3):
        await home.says("/job run check")
    await home.says("/job rerun #2")
    run = await home.run(2)
    comment = run.key.split(":")[2]

    def tell(session: object) -> None:
        stored = session.get(Run, 2)  # type: ignore[attr-defined]
        stored.digest = PINNED
        place = {"channel": "C1", "thread": None}
        card = Post(
            kind="slack_message", key="k", place=place, run_number=2, nonce="n", due_at=0.0, created_at=0.0
        )
        card.sent, card.remote_id = 1, "C1 1700000000.000100"
        session.add(card)  # type: ignore[attr-defined]

    await home.write(tell)
    page = (await browser.get("/runs/2")).text
    found = addresses(page)
    assert found["octocat"].endswith("/octocat")
    assert found["in a comment"].endswith(f"/Acme/Shop/pull/7#issuecomment-{comment}")
    assert found["#7"].endswith("/Acme/Shop/pull/7")
    assert found["c" * 10].endswith(f"/Acme/Shop/commit/{'c' * 40}")
    assert found["Message"].endswith("/archives/C1/p1700000000000100")
    assert found[PINNED] == "https://ghcr.io/acme/shop"
    assert (found["‹ Run #1"], found["Run #3 ›"], found["#4"]) == ("/runs/1", "/runs/3", "/runs/4")
    assert found["#1"] == f"/builds/{run.build_number}"
    build = addresses((await browser.get("/builds/1")).text)
    assert {build[f"#{number}"] for number in range(1, 5)} == {f"/runs/{number}" for number in range(1, 5)}


async def test_signed_link_leads_to_no_other_run(home: House, browser: httpx.AsyncClient) -> None:
    for _ in range(3):
        await home.says("/job run check")
    await home.says("/job rerun #2")
    browser.cookies.clear()
    signed = links.sign("/runs/2", expires=int(home.now) + 600, keys=home.tools.keys)
    page = (await browser.get(f"/runs/2?{signed}")).text
    assert [
        each for each in addresses(page).values() if each.startswith("/runs/") and "/runs/2" not in each
    ] == []
    assert "#4" not in page
    assert addresses(page)["#7"].endswith("/Acme/Shop/pull/7")
    build = await browser.get(addresses(page)["#1"])
    assert "For runs" not in build.text


async def test_actor_that_is_no_login_is_no_link(home: House, browser: httpx.AsyncClient) -> None:
    await home.says("/job run check")

    def rename(session: object) -> None:
        session.get(Run, 1).actor = "github:../../evil?"  # type: ignore[attr-defined]

    await home.write(rename)
    page = (await browser.get("/runs/1")).text
    assert not any("evil" in each for each in addresses(page).values())
