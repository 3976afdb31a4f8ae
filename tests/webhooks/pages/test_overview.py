"""The first page: what runs, waits, failed and comes, for whoever looks; read again only when it changed."""

import re
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.states import State
from bot.store import Session, locks, runs, tokens
from bot.tables import Build, Lock, Run
from tests.bot.house import House, house
from tests.webhooks.installation import NOW, Installation, client, here, member
from tests.webhooks.pages.browsers import OWN, of_person, of_token
from tests.webhooks.sites import composed
from webhooks.access import Access, new_token, token_hash
from webhooks.pages import board

__all__ = ["client", "here", "member"]  # fixtures


def _add(session: Session, row: Run) -> None:
    session.add(row)


def _section(page: str, name: str) -> str:
    """The part of the page below the heading with this id."""
    found = re.search(rf'<section aria-labelledby="{name}".*?</section>', page, re.S)
    assert found is not None, name
    return found[0]


async def _ended(here: Installation, key: str, ago: float, **facts: object) -> Run:
    now = here.now
    here.now = now - ago - 60
    run = await here.start_run(key=key)
    here.now = now - ago
    done = await here.finish(run, **facts)
    here.now = now
    return done


async def test_what_runs_is_held_against_the_usual(here: Installation, member: httpx.AsyncClient) -> None:
    for number, ago in enumerate((5000, 4000, 3000)):
        await _ended(here, str(number), ago)
    here.now = NOW - 100
    run = await here.start_run(key="now")
    await here.store.write(lambda s: runs.advance(s, run.identity, owner="one", done=3, total=12))
    here.now = NOW
    running = _section((await member.get("/")).text, "running")
    for part in (
        "usually 1m",
        "longer than usual",
        'value="3" max="12"',
        "3 of 12",
        f'href="/runs/{run.number}"',
    ):
        assert part in running
    assert not re.search(r"data-late=\"[0-9.]+\" hidden", running)


async def test_what_waits_says_for_what_and_its_place(here: Installation, member: httpx.AsyncClient) -> None:
    await here.start_run(key="first", lock="database")
    for number in range(2):
        row = Run(
            key=f"w{number}", name="", job="migrate", lock="database", cause="api", actor="a", created_at=0.0
        )
        await here.store.write(partial(runs.enqueue, run=row, cards=[], now=NOW, nonce="abc"))
    page = (await member.get("/")).text
    waiting = _section(page, "waiting")
    assert "the lock database, held by migrate #1" in waiting
    assert "place 2 in the queue" in waiting
    assert "2 waiting" in _section(page, "locks")
    assert "held by" in _section(page, "locks")


async def test_failures_are_those_since_somebody_looked(
    here: Installation, member: httpx.AsyncClient
) -> None:
    await _ended(here, "a", 3 * 86400, result="failed", exit_code=2)
    await _ended(here, "b", 7200, result="timed_out", exit_code=None)
    await _ended(here, "c", 600, result="error", exit_code=None)

    async def numbers(path: str, **how: str) -> list[str]:
        page = (await member.get(path, headers=how)).text
        return re.findall(r'entry-name" href="/runs/(\d+)"', _section(page, "failed"))

    assert await numbers("/") == ["3", "2"]
    assert await numbers("/", cookie=f"looked={int(NOW) - 1000}") == ["3"]
    assert await numbers("/?failed=week", cookie=f"looked={int(NOW) - 1000}") == ["3", "2", "1"]
    assert await numbers(f"/overview?since={int(NOW) - 1000}") == ["3"]
    for wrong in ("x", "99999999999", "-5", "1"):
        assert await numbers("/", cookie=f"looked={wrong}") == ["3", "2"]


async def test_part_is_sent_only_when_it_changed(here: Installation, member: httpx.AsyncClient) -> None:
    page = (await member.get("/")).text
    path = re.search(r'data-part="([^"]+)"', page)
    tag = re.search(r'data-tag="([^"]+)"', page)
    assert path is not None
    assert tag is not None
    headers = {"if-none-match": tag[1].replace("&#34;", '"')}
    same = await member.get(path[1], headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    await here.start_run()
    other = await member.get(path[1], headers=headers)
    assert other.status_code == 200
    assert other.text.lstrip().startswith('<div class="board"')
    assert other.headers["etag"] != headers["if-none-match"]
    assert "Nothing runs now" not in other.text


async def test_counts_say_more_where_they_end(here: Installation, member: httpx.AsyncClient) -> None:
    rows = [
        Run(key=f"q{n}", name=f"q{n}", job="report", cause="api", actor="a", created_at=NOW, state="waiting")
        for n in range(130)
    ]
    await here.store.write(lambda s: s.add_all(rows))
    page = (await member.get("/")).text
    assert "<b>100+</b> waiting" in page
    assert "and 100+ more" in _section(page, "waiting")
    assert len(page) < 60_000


async def test_builds_under_way_and_those_that_failed(here: Installation, member: httpx.AsyncClient) -> None:
    known: dict[str, Any] = {
        "image": "shop",
        "repository": "acme/shop",
        "commit": "c" * 40,
        "cause": "push",
        "actor": "a",
    }
    rows = [
        Build(key="1", name="b1", state=State.BUILDING, started_at=NOW, created_at=NOW, **known),
        Build(
            key="2", name="b2", state="finished", result="failed", created_at=NOW, finished_at=NOW, **known
        ),
        Build(
            key="3", name="b3", state="finished", result="succeeded", created_at=NOW, finished_at=NOW, **known
        ),
    ]
    await here.store.write(lambda s: s.add_all(rows))
    builds = _section((await member.get("/")).text, "builds")
    assert re.findall(r'href="(/builds/\d)"', builds) == ["/builds/1", "/builds/2"]


async def test_given_up_deliveries_are_for_admins(here: Installation, client: httpx.AsyncClient) -> None:
    for scope, shown in (("admin", True), ("read", False)):
        text = new_token()
        await here.store.write(
            partial(tokens.add, name=scope, hash=token_hash(text), now=NOW, scopes=[scope])
        )
        page = (await client.get("/", headers={"authorization": f"Bearer {text}"})).text
        assert ("were given up" in page) is shown


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    schedule = {"cron": "*/10 * * * *"}
    changes = {
        "pages": {"admins": ["github:root"]},
        "jobs": {
            "check": {"lock": "production", "schedule": schedule},
            "publish": {"lock": "secret-lock", "schedule": schedule},
        },
    }
    async with house(tmp_path, changes=changes) as made:
        yield made


async def test_person_sees_their_jobs_alone_and_opens_their_locks(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    for target in ("production", "secret-lock"):
        lock = Lock(target=target, actor="github:octocat", reason="sale", created_at=home.now)
        await home.store.write(partial(locks.add, lock=lock, now=home.now))
    for number, job in enumerate(("check", "publish")):
        row = Run(
            number=number + 1, key=job, name=job, job=job, cause="api", actor="a", created_at=home.now,
            state="finished", result="failed", finished_at=home.now,
        )  # fmt: skip
        await home.store.write(partial(_add, row=row))
    site = composed(home.bot, url="http://errand.test")
    access: Access = site._access()
    cookie = await access.login_person("ada", address="", agent="")
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    cookies = {access.cookie: cookie or ""}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://errand.test", cookies=cookies
    ) as browser:
        page = (await browser.get("/")).text
        assert "publish" not in page
        assert "secret-lock" not in page
        assert 'action="/runs/1/rerun"' in page
        assert "5 more times" in _section(page, "next")
        assert 'name="target" value="production"' in page
        assert (await browser.post("/unlock", data={"target": "secret-lock"}, headers=OWN)).status_code == 409
        assert (await browser.post("/unlock", data={"target": "a\0"}, headers=OWN)).status_code == 404
        assert (await browser.post("/unlock", data={"target": "production"})).status_code == 403
        opened = await browser.post("/unlock", data={"target": "production"}, headers=OWN)
        assert (opened.status_code, opened.headers["location"]) == (303, "/#locks")
        assert 'name="target" value="production"' not in (await browser.get("/")).text
    left = await home.store.read(lambda s: locks.closed(s, now=home.now))
    assert [lock.target for lock in left] == ["secret-lock"]


async def test_lock_is_closed_by_a_form_and_those_of_the_asker_go_on(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    async with await of_person(home, "ada") as ada:
        page = (await ada.get("/")).text
        offered = re.findall(r'<option value="([^"]*)"', page.partition('<datalist id="targets">')[2])
        assert offered == ["production", "check", "deploy"]
        assert "everything" not in _section(page, "locks") + _section(page, "freezes")
        assert "Nothing is locked." in _section(page, "locks")
        fields = {"target": "production", "why": "<b>sale</b>", "duration": "2h"}
        assert (await ada.post("/lock", data=fields)).status_code == 403  # from no form of ours
        for changed, status in (
            ({"target": "secret-lock"}, 409),
            ({"target": ""}, 409),
            ({"target": "a\0"}, 404),
            ({"duration": "soon"}, 409),
            ({"why": "a\0"}, 409),
            ({"why": "x" * 201}, 409),
        ):
            answer = await ada.post("/lock", data={**fields, **changed}, headers=OWN)
            assert answer.status_code == status, changed
        assert await home.store.read(lambda s: locks.closed(s, now=home.now)) == []
        sent = await ada.post("/lock", data=fields, headers=OWN)
        assert (sent.status_code, sent.headers["location"]) == (303, "/#locks")
        async with await of_person(home, "octocat") as octocat:
            again = await octocat.post("/lock", data=fields, headers=OWN)
            assert (again.status_code, "is locked by" in again.text) == (409, True)
        (lock,) = await home.store.read(lambda s: locks.closed(s, now=home.now))
        assert (lock.actor, lock.until, lock.person) == ("github:ada", home.now + 7200, "github:ada")
        shown = _section((await ada.get("/")).text, "locks")
        assert all(
            part in shown for part in ("for all but ada: &lt;b&gt;sale", 'aria-label="Unlock production"')
        )
        await ada.post("/unlock", data={"target": "production"}, headers=OWN)
        await ada.post("/lock", data={"target": "check", "everyone": "true"}, headers=OWN)
        (lock,) = await home.store.read(lambda s: locks.closed(s, now=home.now))
        assert (lock.target, lock.reason, lock.until, lock.person) == ("check", None, None, None)


async def test_everything_is_offered_to_those_who_may_stop_everything(home: House) -> None:
    home.github.add_person("acme/shop", "ada", "write")
    home.github.add_person("acme/shop", "root", "write")
    for login, may in (("root", True), ("ada", False)):
        async with await of_person(home, login) as person:
            assert ('<option value="*"' in (await person.get("/")).text) is may
            answers = [
                (await person.post(path, data={"target": "*", "why": "fire"}, headers=OWN)).status_code
                for path in ("/lock", "/freeze")
            ]
            assert answers == ([303, 303] if may else [409, 409])
            page = (await person.get("/")).text
            assert 'aria-label="Thaw everything"' in page if may else 'action="/thaw"' not in page
            assert ('aria-label="Unlock *"' in page) is may
            part = await person.get("/overview")
            assert ('aria-label="Unlock *"' in part.text) is may
    async with await of_person(home, "root") as root:
        for path in ("/unlock", "/thaw"):
            assert (await root.post(path, data={"target": "*"}, headers=OWN)).status_code == 303
    assert await home.store.read(lambda s: locks.closed(s, now=home.now)) == []


async def test_who_may_run_nothing_is_shown_no_form_of_a_lock(home: House) -> None:
    async with await of_token(home, "read") as reader:
        page = (await reader.get("/")).text
        assert ("Recent runs" in page, "<datalist" in page, 'action="/lock"' in page) == (True, False, False)
        assert (await reader.post("/lock", data={"target": "check"}, headers=OWN)).status_code == 409
    assert await home.store.read(lambda s: locks.closed(s, now=home.now)) == []


async def test_page_says_that_schedules_are_being_read_until_they_are(
    here: Installation, member: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "_PATIENCE_S", 0.0)
    first = (await member.get("/")).text
    assert "Schedules are being read" in first
    assert "data-again" in first
    monkeypatch.setattr(board, "_PATIENCE_S", 10.0)
    assert "Nothing starts by schedule within an hour." in (await member.get("/")).text
