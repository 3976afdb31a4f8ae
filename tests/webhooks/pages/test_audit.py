"""The journal on a page: for whom it is, what it shows, and filters that are links."""

from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.states import EntryKind
from bot.store import journal
from bot.tables import JournalEntry
from tests.bot.house import SHOP, House, house
from tests.webhooks.sites import composed
from tests.webhooks.whole import served
from webhooks.pages.audit import GROUPS

URL = "http://errand.test"
RIGHTS = {"pages": {"admins": ["github:root"]}, "audit": {"readers": ["github:ada"]}}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes=RIGHTS) as made:
        for login in ("ada", "bob"):
            made.github.add_person(SHOP, login, "write")
        yield made


async def record(home: House, *subjects: str, **values: Any) -> None:
    given: dict[str, Any] = {"at": home.now, "kind": EntryKind.LOCKED, "actor": "github:octocat"} | values
    rows = [JournalEntry(subject=subject, **given) for subject in subjects]
    await home.write(lambda session: journal.record(session, rows))


async def browser(home: House, login: str) -> httpx.AsyncClient:
    site = composed(home.bot, url=URL)
    access = site._access()
    cookie = await access.login_person(login, address="198.51.100.7", agent="Firefox")
    assert cookie is not None
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    return httpx.AsyncClient(transport=transport, base_url=URL, cookies={access.cookie: cookie})


async def test_readers_and_admins_see_it_and_nobody_else_a_link_to_it(home: House) -> None:
    await record(home, "lock:<prod>")
    for login, may in (("ada", True), ("root", True), ("bob", False)):
        client = await browser(home, login)
        page = await client.get("/audit")
        assert (page.status_code, "lock:&lt;prod&gt;" in page.text) == ((200, True) if may else (403, False))
        assert ('href="/audit"' in (await client.get("/jobs")).text) is may
    async with served(home, "read") as client:
        assert (await client.get("/audit")).status_code == 403
    async with served(home, "read", "audit", name="auditor") as client:
        assert (await client.get("/audit")).status_code == 200


async def test_rows_lead_to_what_they_are_about_and_to_more_of_their_kind(home: House) -> None:
    await record(home, "run:7", kind=EntryKind.RUN_STARTED, cause="comment", job="ship", run=7, rule="a<b>")
    async with served(home, "admin") as client:
        page = (await client.get("/audit?since=7d")).text
        for link in (
            "/runs/7",
            "/audit?since=7d&kind=run.started",
            "/audit?since=7d&actor=github%3Aoctocat",
            "/audit?since=7d&job=ship",
        ):
            assert f'href="{link}"' in unescape(page), link
        assert "in a comment" in page
        assert "a&lt;b&gt;" in page
        assert "<b>octocat" not in page


async def test_chosen_filters_are_told_and_taken_back_by_a_link(home: House) -> None:
    await record(home, "lock:a")
    await record(home, "job:ship", kind=EntryKind.REFUSED, actor="token:ci", job="ship")
    async with served(home, "admin") as client:
        page = unescape((await client.get("/audit?kind=refused&job=ship")).text)
        assert ("job:ship" in page, "lock:a" in page) == (True, False)
        assert 'href="/audit?job=ship" aria-current="true">Refused' in page
        assert '<a href="/audit?kind=refused" aria-label="Not only job: ship">' in page
        nothing = (await client.get("/audit?actor=nobody")).text
        assert "Nothing of that is in the journal." in nothing
        for wrong in ("since=yesterday", "kind=x", "nothing=1", "before=0"):
            assert (await client.get(f"/audit?{wrong}")).status_code == 400


async def test_older_rows_are_a_page_further(home: House) -> None:
    await record(home, *(f"lock:n{number}" for number in range(60)))
    async with served(home, "admin") as client:
        first = unescape((await client.get("/audit?kind=lock.closed")).text)
        assert ("lock:n59" in first, "lock:n9<" in first) == (True, False)
        older = first.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
        second = unescape((await client.get(older)).text)
        assert ("lock:n59" in second, "lock:n9<" in second) == (False, True)
        assert '<a href="/audit?kind=lock.closed">Newest</a>' in second


def test_every_kind_but_what_admins_free_is_in_one_group() -> None:
    grouped = [kind for kinds in GROUPS.values() for kind in kinds]
    assert len(grouped) == len(set(grouped))
    assert set(EntryKind) - set(grouped) == {EntryKind.PIN_DROPPED, EntryKind.DELIVERY_RETRIED}
    assert all(len(",".join(kinds)) < 200 for kinds in GROUPS.values())
