"""The list of jobs over real HTTP: what it says of each, and how it is filtered."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.store import locks, ticks
from bot.tables import Lock
from tests.bot.house import SHOP, House, house
from tests.webhooks.pages import browsers
from tests.webhooks.pages.finished import add_ended, add_open
from tests.webhooks.whole import served

MORE = {
    "jobs": {
        "nightly": {"command": "true", "schedule": {"cron": "30 2 * * *", "timezone": "Europe/Helsinki"}},
        "ship": {"command": "true", "lock": "production", "description": "<b>bold</b>"},
    }
}


def names(page: str) -> list[str]:
    return re.findall(r'class="name" href="/jobs/([^"]+)"', page)


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=MORE) as made:
        yield made


@pytest.fixture
async def client(home: House) -> AsyncIterator[httpx.AsyncClient]:
    async with served(home) as made:
        yield made


async def test_each_job_says_how_it_stands_and_what_holds_it_back(
    home: House, client: httpx.AsyncClient
) -> None:
    await add_ended(home.store, "check", ["failed"] * 3 + ["succeeded"] * 20)
    await add_open(home.store, "check", "running", "running", "waiting")
    closed = Lock(target="production", actor="github:ada", reason="a release", created_at=home.now)
    await home.write(lambda session: locks.add(session, closed, now=home.now))
    page = (await client.get("/jobs")).text
    assert names(page) == ["check", "deploy", "nightly", "plain", "publish", "ship", "words"]
    assert "Last 20 runs: 20 succeeded" in page
    assert "1 waiting" in page
    assert "2 running" in page
    assert "locked: production" in page
    assert "by ada: a release" in page
    assert "next " in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert " style=" not in page


async def test_filters_are_links_that_give_what_they_say(home: House, client: httpx.AsyncClient) -> None:
    await add_ended(home.store, "check", ["succeeded", "failed"])
    await add_ended(home.store, "plain", ["failed", "succeeded"])
    await add_open(home.store, "plain", "running")
    await add_open(home.store, "deploy", "waiting")
    closed = Lock(target="production", actor="github:ada", created_at=home.now)
    await home.write(lambda session: locks.add(session, closed, now=home.now))
    await home.write(
        lambda session: ticks.change(session, "nightly", paused=True, paused_until=home.now + 60) and None
    )
    for query, found in (
        ("result=failed", ["check"]),
        ("result=succeeded", ["plain"]),
        ("running=1", ["plain"]),
        ("waiting=1", ["deploy"]),
        ("paused=1", ["nightly"]),
        ("locked=1", ["ship"]),
        ("repository=acme/SITE", ["publish"]),
        ("image=shop&q=che", ["check"]),
        ("result=failed&paused=1", []),
    ):
        page = (await client.get(f"/jobs?{query}")).text
        assert names(page) == found, query
    assert "No job is like that." in page
    home.now += 61
    assert names((await client.get("/jobs?paused=1")).text) == []


async def test_groups_have_headings_and_pages_go_on(
    home: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (await client.get("/jobs?by=repository")).text
    assert re.findall(r'<h2 class="heading">(?:<a [^>]*>)?([^<]+)', page) == [
        "Acme/Shop",
        "acme/site",
        "No repository",
    ]
    monkeypatch.setattr("webhooks.pages.jobs.PAGE", 5)
    first, second = [(await client.get(f"/jobs?page={number}")).text for number in (1, 2)]
    assert [len(names(page)) for page in (first, second)] == [5, 2]
    assert '<a href="/jobs?page=2" rel="next">' in first
    assert '<a href="/jobs" rel="prev">' in second
    assert (await client.get("/jobs?page=9")).status_code == 200


async def test_person_sees_their_jobs_their_repositories_and_no_others(home: House) -> None:
    home.github.add_person(SHOP, "ada", "write")
    async with await browsers.of_person(home, "ada") as browser:
        page = (await browser.get("/jobs")).text
        assert names(page) == ["check", "deploy"]
        assert "acme/site" not in page
        assert names((await browser.get("/jobs?q=publish")).text) == []


async def test_token_for_one_job_opens_no_list(home: House) -> None:
    async with served(home, "run:check") as machine:
        assert (await machine.get("/jobs")).status_code == 403
