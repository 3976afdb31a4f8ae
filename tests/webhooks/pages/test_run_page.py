"""The page of a run in a house: where what it shows leads, and what can be done there."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.access import links
from bot.states import State, Wait
from bot.store import Session, runs
from bot.tables import Post, Run
from tests.bot.house import House, house
from tests.webhooks.pages.browsers import OWN, of_person, of_token

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

    def tell(session: Session) -> None:
        stored = session.get(Run, 2)
        assert stored is not None
        stored.digest = PINNED
        place = {"channel": "C1", "thread": None}
        card = Post(
            kind="slack_message", key="k", place=place, run_number=2, nonce="n", due_at=0.0, created_at=0.0
        )
        card.sent, card.remote_id = 1, "C1 1700000000.000100"
        session.add(card)

    await home.write(tell)
    page = (await browser.get("/runs/2")).text
    found = addresses(page)
    assert found["octocat"].endswith("/octocat")
    assert found["in a comment"].endswith(f"/Acme/Shop/pull/7#issuecomment-{comment}")
    assert found["#7"].endswith("/Acme/Shop/pull/7")
    assert found["c" * 10].endswith(f"/Acme/Shop/commit/{'c' * 40}")
    assert found["Message"].endswith("/archives/C1/p1700000000000100")
    assert found["message in Slack"] == found["Message"]
    assert '<time datetime="2023-11-14T22:13:20.000Z"' in page
    assert page.count("follows") == 2
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
    assert "comment in the pull request" not in page
    assert addresses(page)["#7"].endswith("/Acme/Shop/pull/7")
    build = await browser.get(addresses(page)["#1"])
    assert "For runs" not in build.text


async def test_actor_that_is_no_login_is_no_link(home: House, browser: httpx.AsyncClient) -> None:
    await home.says("/job run check")

    def rename(session: Session) -> None:
        run = session.get(Run, 1)
        assert run is not None
        run.actor = "github:../../evil?"

    await home.write(rename)
    page = (await browser.get("/runs/1")).text
    assert not any("evil" in each for each in addresses(page).values())


async def under_way(home: House) -> None:
    """Run #1 of a job that a comment asked for runs."""
    await home.says("/job run check")
    facts = {"state": State.RUNNING, "started_at": home.now, "lease_owner": "one", "lease_until": 2e9}

    def begin(session: Session) -> None:
        for name, value in facts.items():
            setattr(session.get(Run, 1), name, value)

    await home.write(begin)


async def test_run_that_is_stopped_counts_its_grace_down(home: House, browser: httpx.AsyncClient) -> None:
    await under_way(home)
    page = (await browser.get("/runs/1")).text
    assert 'id="again"' not in page
    assert "It then has 30s to end by itself." in page
    await browser.post("/runs/1/cancel", headers=OWN)
    page = (await browser.get("/runs/1")).text
    assert 'id="stop"' not in page
    assert "It is to stop, asked by octocat." in page
    assert "data-until" not in page
    await home.write(lambda s: runs.move(s, 1, State.STOPPING, owner="one", now=home.now))
    home.now += 12
    page = (await browser.get("/runs/1")).text
    assert f'data-until="{home.now + 18}">18s</b>' in page
    home.now += 60
    assert ">0s</b>" in re.sub(r"\.0s", "s", (await browser.get("/runs/1")).text)
    browser.cookies.clear()
    signed = links.sign("/runs/1", expires=int(home.now) + 600, keys=home.tools.keys)
    page = (await browser.get(f"/runs/1?{signed}")).text
    assert ("It is to stop." in page, 'class="actions"' in page) == (True, False)


async def test_run_is_repeated_as_it_was_or_by_today_s_definition(
    home: House, browser: httpx.AsyncClient
) -> None:
    await home.says("/job run check")
    await browser.post("/runs/1/cancel", headers=OWN)
    page = (await browser.get("/runs/1")).text
    assert addresses(page)["Run with changes"] == "/jobs/check/run?from=1"
    assert (await browser.get("/jobs/check/run?from=1")).status_code == 200
    for latest in ({}, {"latest": "true"}):
        assert (await browser.post("/runs/1/rerun", data=latest, headers=OWN)).status_code == 303
    assert [(await home.run(number)).rerun_of for number in (2, 3)] == [1, 1]
    assert "/runs/1/delete" not in page
    assert (await browser.get("/runs/1/delete")).status_code == 404
    refused = await browser.post("/runs/1/delete", headers=OWN)
    assert (refused.status_code, "Only admins remove runs." in refused.text) == (409, True)
    assert (await home.run(1)).number == 1


async def test_admin_removes_a_run_after_a_question(home: House) -> None:
    await home.says("/job run check")
    async with await of_token(home, "admin") as admin:
        assert "goes on or waits" in (await admin.get("/runs/1/delete")).text
        refused = await admin.post("/runs/1/delete", headers=OWN)
        assert (refused.status_code, "cancel it first" in refused.text) == (409, True)
        await admin.post("/runs/1/cancel", headers=OWN)
        assert addresses((await admin.get("/runs/1")).text)["Remove…"] == "/runs/1/delete"
        assert 'method="post" action="/runs/1/delete"' in (await admin.get("/runs/1/delete")).text
        assert (await admin.post("/runs/1/delete")).status_code == 403
        done = await admin.post("/runs/1/delete", headers=OWN)
        assert (done.status_code, done.headers["location"]) == (303, "/jobs/check")
        assert (await admin.get("/runs/1")).status_code == 404
        assert (await admin.post("/runs/1/delete", headers=OWN)).status_code == 409


async def test_person_among_the_admins_removes_a_run(tmp_path: Path) -> None:
    async with house(tmp_path, changes={"pages": {"admins": ["github:octocat"]}}) as home:
        await home.says("/job run check")
        async with await of_person(home, "octocat") as browser:
            await browser.post("/runs/1/cancel", headers=OWN)
            assert (await browser.post("/runs/1/delete", headers=OWN)).headers["location"] == "/jobs/check"


async def test_page_says_what_a_run_waits_for(home: House, browser: httpx.AsyncClient) -> None:
    await home.says("/job run check")

    def hold(session: Session) -> None:
        run = session.get(Run, 1)
        assert run is not None
        run.waiting_for, run.waiting_on = Wait.AHEAD, {"run": 9, "stopping": True}

    await home.write(hold)
    assert "It waits for #9 to stop." in (await browser.get("/runs/1")).text


async def test_chain_stands_on_the_page_of_each_of_its_runs_but_not_behind_a_link(
    home: House, browser: httpx.AsyncClient
) -> None:
    await home.says("/job run check")
    await home.says("/job run deploy SECRETIVE=x")

    def chain(session: Session) -> None:
        first, second = session.get_one(Run, 1), session.get_one(Run, 2)
        first.definition = {**first.definition, "then": ["deploy", "gone"]}
        first.state, first.result, first.finished_at = State.FINISHED, "succeeded", 0.0
        second.chain = second.follows = 1
        why = {"kind": "answer", "text": "There is no job `gone` <b>here</b>."}
        first.followed = [{"job": "deploy", "run": 2}, {"job": "gone", "why": why}]

    await home.write(chain)
    for number in (1, 2):
        page = (await browser.get(f"/runs/{number}")).text
        shown = page.split('<ol class="chain"')[1].split("</ol>")[0]
        texts = [" ".join(re.sub(r"<[^>]+>", "", each).split()) for each in shown.split("<li")[1:]]
        assert "check #1" in texts[0]
        assert "not started: There is no job gone &lt;b&gt;here&lt;/b&gt;." in shown.replace(
            "<code>", ""
        ).replace("</code>", "")
        assert f'href="/runs/{3 - number}"' in shown
        assert f'href="/runs/{number}"' not in shown
    browser.cookies.clear()
    signed = links.sign("/runs/1", expires=int(home.now) + 600, keys=home.tools.keys)
    assert 'class="chain"' not in (await browser.get(f"/runs/1?{signed}")).text
