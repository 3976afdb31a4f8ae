"""A job's schedule, definition and rules on its pages, and the forms that hold its schedule back."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from bot.store import hooks
from bot.tables import Hook, JournalEntry
from tests.bot.house import House, house
from tests.webhooks.pages.browsers import OWN, URL, of_person, of_token

TEXT = "".join(f"echo {number}\n" for number in range(9))
JOBS = f"""
nightly:
  image: shop
  command: {json.dumps(TEXT)}
  description: Every night
  env: {{API_KEY: "${{API_KEY}}", PLAIN: "hidden-text"}}
  lock: production
  concurrency: queue
  retries: 2
  requires: [checks, review]
  allow: ["actions:acme/shop@refs/heads/main"]
  schedule: {{cron: "30 2 * * *", timezone: Europe/Berlin}}
"""


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        yield made


@pytest.fixture
async def octocat(home: House) -> AsyncIterator[httpx.AsyncClient]:
    """Who may write to the shop."""
    async with await of_person(home, "octocat") as browser:
        yield browser


async def _press(browser: httpx.AsyncClient, action: str, **fields: str) -> httpx.Response:
    return await browser.post(f"/jobs/nightly/{action}", data={"key": "k" * 16, **fields}, headers=OWN)


def _tabs(page: str) -> str:
    return page.partition('<nav class="tabs"')[2].partition("</nav>")[0]


async def test_tabs_are_links_and_name_the_page_that_is_open(octocat: httpx.AsyncClient) -> None:
    for path in ("/run", "", "/schedule", "/definition", "/rules"):
        page = (await octocat.get(f"/jobs/nightly{path}")).text
        tabs = re.findall(r'href="(/jobs/nightly[a-z/]*)"( aria-current="page")?>', _tabs(page))
        assert [each for each, _ in tabs] == [
            "/jobs/nightly/run",
            "/jobs/nightly",
            "/jobs/nightly/schedule",
            "/jobs/nightly/definition",
            "/jobs/nightly/rules",
        ]
        assert [each for each, current in tabs if current] == [f"/jobs/nightly{path}"]
    assert (await octocat.get("/jobs/check/schedule")).status_code == 404
    assert (await octocat.get("/jobs/none/definition")).status_code == 404


async def test_schedule_has_ten_times_in_both_zones(octocat: httpx.AsyncClient) -> None:
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert len(re.findall(r"<time datetime=\"[^\"]+Z\" data-own>", page)) == 10
    assert (
        len(re.findall(r"<td><span>\w{3} \d{4}-\d\d-\d\d</span> <span>02:30 CES?T</span></td>", page)) == 10
    )


async def test_schedule_is_held_back_and_let_go_on(octocat: httpx.AsyncClient) -> None:
    answer = await _press(octocat, "skip")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/nightly/schedule")
    assert "is left out by octocat" in (await octocat.get("/jobs/nightly/schedule")).text
    again = await _press(octocat, "skip")
    assert (again.status_code, "leaves out" in again.text, "<table" in again.text) == (409, True, True)
    assert (await _press(octocat, "pause")).status_code == 303
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert "<b>paused</b> by octocat" in page
    assert "None while it is paused" in page
    assert (await _press(octocat, "resume")).status_code == 303
    assert "<b>paused</b>" not in (await octocat.get("/jobs/nightly/schedule")).text
    assert (await _press(octocat, "pause", duration="2h")).status_code == 303
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert re.search(r"<b>paused</b> by octocat until \w{3} [\d-]+ [\d:]+ CES?T", page)


async def test_pause_is_until_a_time_by_the_clocks_of_the_schedule(
    home: House, octocat: httpx.AsyncClient
) -> None:
    until = datetime.fromtimestamp(home.now + 86400, ZoneInfo("Europe/Berlin"))
    assert (await _press(octocat, "pause", until=f"{until:%Y-%m-%dT%H:%M}")).status_code == 303
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert f"by octocat until {until:%a %Y-%m-%d %H:%M}" in page
    assert len(re.findall("data-own", page)) == 10  # those after it


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"duration": "<soon>"}, ["duration"]),
        ({"duration": "0s"}, ["duration"]),
        ({"duration": "400d"}, ["duration"]),
        ({"until": "2001-01-01T10:00"}, ["until"]),
        ({"until": "x"}, ["until"]),
        ({"until": "2001-01-01T10:00", "duration": "1h"}, ["duration"]),
    ],
)
async def test_pause_that_cannot_be_is_told_at_its_field(
    octocat: httpx.AsyncClient, fields: dict[str, str], wrong: list[str]
) -> None:
    answer = await _press(octocat, "pause", **fields)
    assert answer.status_code == 422
    assert re.findall(r'id="(\w+)-mistake"', answer.text) == wrong
    assert "<soon>" not in answer.text
    for name, text in fields.items():
        assert f'name="{name}" value="{text}"'.replace("<soon>", "&lt;soon&gt;") in answer.text
    assert "<b>paused</b>" not in (await octocat.get("/jobs/nightly/schedule")).text


async def test_form_of_another_site_holds_nothing_back(octocat: httpx.AsyncClient) -> None:
    for action in ("pause", "skip", "resume"):
        answer = await octocat.post(f"/jobs/nightly/{action}", headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert "octocat" not in page.partition("<main>")[2]


async def test_job_without_a_schedule_says_so(octocat: httpx.AsyncClient) -> None:
    for action, fields in (("pause", {}), ("pause", {"duration": "soon"}), ("resume", {}), ("skip", {})):
        answer = await octocat.post(f"/jobs/check/{action}", data=fields, headers=OWN)
        assert (answer.status_code, "no schedule" in answer.text) == (409, True)
        answer = await octocat.post(f"/jobs/none/{action}", data=fields, headers=OWN)
        assert (answer.status_code, "There is no job" in answer.text) == (409, True)


async def test_definition_tells_names_of_variables_and_no_texts(octocat: httpx.AsyncClient) -> None:
    page = (await octocat.get("/jobs/nightly/definition")).text
    assert all(part in page for part in ("API_KEY", "PLAIN", "echo 8", "production", "15m", "Version 1"))
    assert "hidden-text" not in page
    assert "s3cr3t" not in page
    assert "The first version." in page
    assert "<code>jobs.nightly</code> in line 1," in page


async def test_versions_tell_what_changed_and_when(home: House, octocat: httpx.AsyncClient) -> None:
    file = home.home / "app.yaml"
    text = file.read_text()
    changed = text.replace("echo 5", "echo <five>").replace("hidden-text", "other-text")
    file.write_text(changed.replace('"retries": 2', '"retries": 3'))
    await home.reread()
    page = (await octocat.get("/jobs/nightly/definition")).text
    assert "Version 2" in page
    assert '<span class="minus">-echo 5</span>' in page
    assert '<span class="plus">+echo &lt;five&gt;</span>' in page
    assert '<code>retries</code> <code class="minus">2</code> → <code class="plus">3</code>' in page
    assert "<code>env.PLAIN</code> changed" in page
    assert "hidden-text" not in page
    assert "other-text" not in page
    assert "by the configuration file" in page
    older = (await octocat.get("/jobs/nightly/definition?before=2")).text
    assert "The first version." in older
    assert "Version 2" not in older
    for before in ("9" * 18, "x", "0"):
        assert (await octocat.get(f"/jobs/nightly/definition?before={before}")).status_code == 200


async def test_rules_name_workflows_and_to_admins_the_hooks(home: House, octocat: httpx.AsyncClient) -> None:
    hook = Hook(job="nightly", name="ci", hash="h" * 64, created_at=home.now, created_by="token:ops")
    hook.last_used_at, hook.last_used_by = home.now, "10.0.0.1, <curl>"
    await home.write(lambda session: hooks.add(session, hook))
    page = (await octocat.get("/jobs/nightly/rules")).text
    assert "actions:acme/shop@refs/heads/main" in page
    assert all(part in page for part in ("production", "checks", "review", "waits until other runs"))
    assert "&lt;curl&gt;" not in page
    async with await of_token(home, "admin") as admin:
        page = (await admin.get("/jobs/nightly/rules")).text
    assert "<code>ci</code>" in page
    assert "&lt;curl&gt;" in page
    assert "h" * 64 not in page


async def test_hook_is_made_and_ended_by_forms_and_its_token_is_shown_once(tmp_path: Path) -> None:
    changes = {"pages": {"admins": ["github:octocat"]}}
    async with house(tmp_path, jobs=JOBS, changes=changes) as home, await of_person(home, "octocat") as admin:
        with capture_logs() as logged:
            made = await _press(admin, "hooks", name=" <ci> ")
        assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
        assert [row["event"] for row in logged] == ["hook.created"]
        (token,) = set(re.findall(r"errand_hook_[A-Za-z0-9_-]{43}", made.text))
        assert f"{URL}/hooks/nightly" in made.text
        started = await admin.post("/hooks/nightly", headers={"x-deploy-hook-token": token})
        assert started.status_code == 201, started.text
        again = await _press(admin, "hooks", name="<ci>")
        assert (again.status_code, "a hook of that name already" in again.text) == (409, True)
        assert 'value="&lt;ci&gt;"' in again.text
        wrong = await _press(admin, "hooks", name="a/b")
        assert (wrong.status_code, "printable characters without /" in wrong.text) == (422, True)
        back = await admin.get("/jobs/nightly/hooks")
        assert (back.status_code, back.headers["location"]) == (303, "/jobs/nightly/rules#hooks")

        page = (await admin.get("/jobs/nightly/rules")).text
        (removal,) = re.findall(r'href="(/jobs/nightly/hooks/[^"]+/delete)"', page)
        assert "&lt;ci&gt;" in (await admin.get(removal)).text
        assert (await admin.post(removal, headers=OWN)).status_code == 303
        assert (await admin.post(removal, headers=OWN)).status_code == 303  # as it is after the first
        assert (await admin.get(removal)).status_code == 404
        ended = await admin.post("/hooks/nightly", headers={"x-deploy-hook-token": token})
        assert ended.status_code == 401
        rows = await home.store.read(lambda s: [row.model_dump() for row in s.scalars(select(JournalEntry))])
        told = [(row["kind"], row["actor"], row["subject"]) for row in rows if row["kind"].startswith("hook")]
        assert told == [
            (f"hook.{did}", "github:octocat", "hook:nightly/<ci>") for did in ("created", "deleted")
        ]
        assert token not in f"{logged}{rows}{again.text}{page}"


async def test_hooks_are_for_admins_as_they_are_now(home: House, octocat: httpx.AsyncClient) -> None:
    page = (await octocat.get("/jobs/nightly/rules")).text.partition("<main>")[2]
    assert ("Admins see which" in page, "<form" in page) == (True, False)
    assert (await octocat.get("/jobs/nightly/hooks/ci/delete")).status_code == 404
    for action in ("hooks", "hooks/ci/delete"):
        refused = await _press(octocat, action, name="ci")
        assert (refused.status_code, "octocat may not do that. It takes" in refused.text) == (409, True)
        other = await octocat.post(f"/jobs/nightly/{action}", headers={"sec-fetch-site": "cross-site"})
        assert other.status_code == 403
        assert (await octocat.post(f"/jobs/none/{action}", headers=OWN)).status_code == 404
    assert await home.store.read(hooks.list) == []
    rows = await home.store.read(lambda s: s.scalars(select(JournalEntry)).all())
    assert [row.rule for row in rows if row.kind == "refused"] == ["pages.admins"] * 2


async def test_job_that_is_no_more_keeps_its_history_alone(home: House, octocat: httpx.AsyncClient) -> None:
    await home.says("/job run check")
    file = home.home / "app.yaml"
    file.write_text(file.read_text().replace('"check": {', '"other": {'))
    await home.reread()
    async with await of_token(home, "read") as reader:
        page = await reader.get("/jobs/check")
        assert page.status_code == 200
        assert re.findall(r'href="(/jobs/check[a-z/]*)"', _tabs(page.text)) == ["/jobs/check"]
        for part in ("run", "schedule", "definition", "rules"):
            assert (await reader.get(f"/jobs/check/{part}")).status_code == 404


async def test_due_moments_are_run_again_by_a_form_and_stopped_as_a_whole(
    home: House, octocat: httpx.AsyncClient
) -> None:
    day = datetime.fromtimestamp(home.now, ZoneInfo("Europe/Berlin")).date()
    since = f"{day - timedelta(days=3)}T00:00"
    answer = await _press(octocat, "backfill", **{"from": since, "to": f"{day - timedelta(days=1)}T12:00"})
    assert answer.status_code == 303, answer.text
    page = (await octocat.get("/jobs/nightly/schedule")).text
    assert "It waits for its turn in a backfill, of which 0 of 3 are over." in page
    assert "Stop the backfill that ends with #3" in page
    wrong = await _press(octocat, "backfill", **{"from": "2030-01-01T00:00"})
    assert wrong.status_code == 409
    assert "has not come yet" in wrong.text


async def test_run_is_asked_for_at_a_moment_by_its_form(octocat: httpx.AsyncClient) -> None:
    answer = await _press(octocat, "run", delay="2h")
    assert answer.status_code == 303, answer.text
    assert "It waits for" in (await octocat.get(answer.headers["location"])).text
    wrong = await _press(octocat, "run", at="2020-01-01T00:00", delay="2h")
    assert wrong.status_code == 422
    assert "Either at a time, or after a while." in wrong.text
