"""Jobs are created, changed and removed on pages: by admins, by the checks and the functions of the API."""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.catalog.catalog import Job
from tests.bot.house import House, house
from tests.webhooks.pages.browsers import OWN, of_person, of_token
from webhooks.pages.key_list import ENTRIES, job_keys

TEXT = "# mine\ncommand: 'true' # yes\nenv: {A: hidden-text}\n"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, changes={"pages": {"admins": ["github:octocat"]}}) as made:
        yield made


@pytest.fixture
async def admin(home: House) -> AsyncIterator[httpx.AsyncClient]:
    async with await of_person(home, "octocat") as browser:
        yield browser


async def _send(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    named = {name.replace("__", "."): text.replace("\n", "\r\n") for name, text in fields.items()}
    return await browser.post(path, data=named, headers=OWN)


async def _make(browser: httpx.AsyncClient, name: str = "fresh", text: str = TEXT) -> None:
    answer = await _send(browser, "/new", name=name, definition=text)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/jobs/{name}/definition")


def _typed(page: str) -> str:
    found = re.search(r'<textarea id="definition"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def _version(page: str) -> str:
    found = re.search(r'name="version" value="(\d*)"', page)
    assert found
    return found[1]


async def test_job_is_created_changed_and_removed(home: House, admin: httpx.AsyncClient) -> None:
    assert 'href="/new"' in (await admin.get("/jobs")).text
    assert "echo hello" in _typed((await admin.get("/new")).text)
    await _make(admin)
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert (entry.row.version, entry.row.actor, entry.job.command) == (1, "github:octocat", "true")
    assert 'href="/jobs/fresh/edit"' in (await admin.get("/jobs/fresh/definition")).text

    page = (await admin.get("/jobs/fresh/edit")).text
    changed = _typed(page).replace("true", "false")
    answer = await _send(admin, "/jobs/fresh/edit", definition=changed, version=_version(page))
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/fresh/definition")
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert (entry.row.version, entry.job.command) == (2, "false")

    page = (await admin.get("/jobs/fresh/delete")).text
    for _ in range(2):  # whoever presses twice removes once
        answer = await _send(admin, "/jobs/fresh/delete", version=_version(page))
        assert (answer.status_code, answer.headers["location"]) == (303, "/jobs")
    assert home.tools.registry.entry("fresh") is None
    assert (await admin.get("/jobs/fresh/delete")).status_code == 404


async def test_form_that_is_sent_twice_is_one_change(home: House, admin: httpx.AsyncClient) -> None:
    await _make(admin)
    await _make(admin)
    for _ in range(2):
        answer = await _send(admin, "/jobs/fresh/edit", definition="command: [a]\n", version="1")
        assert answer.status_code == 303
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert entry.row.version == 2


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("command: 'true'\nschedule:\n  cron: 99 * * * *\nnothing: <b>\n", [(3, 9), (4, 1)]),
        ("command: [a\nkeep: 1\n", [(1, 10)]),
        ("command: 'true'\nkeep: 0\n", [(2, 7)]),
        ("image: <none>\ncommand: 'true'\n", [(1, 8)]),
    ],
)
async def test_mistakes_are_told_at_their_line_and_what_was_typed_stays(
    home: House, admin: httpx.AsyncClient, text: str, places: list[tuple[int, int]]
) -> None:
    answer = await _send(admin, "/new", name="fresh", definition=text)
    assert answer.status_code == 422
    found = re.findall(r"Line (\d+), column (\d+)</a>", answer.text)
    assert [(int(line), int(column)) for line, column in found] == places
    assert _typed(answer.text) == text
    assert 'name="name" value="fresh"' in answer.text
    assert "<b>" not in answer.text.split("<form class")[0].replace("<b>octocat", "")
    assert home.tools.registry.entry("fresh") is None


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n"])
async def test_text_that_is_no_definition_is_refused(admin: httpx.AsyncClient, text: str) -> None:
    answer = await _send(admin, "/new", name="fresh", definition=text)
    assert answer.status_code == 422
    assert "Nothing was saved" in answer.text


async def test_text_that_takes_long_to_read_is_not_read(home: House, admin: httpx.AsyncClient) -> None:
    text = "x: [" + "{a: b}, " * 9000 + "]\n"
    answer = await _send(admin, "/new", name="fresh", definition=text)
    assert answer.status_code == 422
    assert "more than 64 KiB" in answer.text
    assert _typed(answer.text) == text
    job = Job(
        name="fresh",
        command="true",
        image="shop",
        env=dict.fromkeys(map("V{}".format, range(80)), "x" * 1000),
    )
    await home.tools.registry.put(job, actor="token:ops", expected=lambda version: True)
    assert json.loads(_typed((await admin.get("/jobs/fresh/edit")).text))["env"] == job.env


async def test_name_is_checked_and_kept_from_others(home: House, admin: httpx.AsyncClient) -> None:
    for name in ("", "Über", "12", "a/b", "x" * 41):
        answer = await _send(admin, "/new", name=name, definition=TEXT)
        assert answer.status_code == 422
        assert 'href="#name"' in answer.text
        assert _typed(answer.text) == TEXT
    await _make(admin)
    answer = await _send(admin, "/new", name="fresh", definition="command: other\n", version="1")
    assert answer.status_code == 409
    assert "There is a job called fresh already" in answer.text
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert entry.job.command == "true"


async def test_who_comes_second_sees_both_and_overwrites_nothing_unseen(
    home: House, admin: httpx.AsyncClient
) -> None:
    await _make(admin)
    async with await of_token(home, "admin") as other:
        await _send(other, "/jobs/fresh/edit", definition="command: theirs\n", version="1")
    answer = await _send(admin, "/jobs/fresh/edit", definition="command: mine # really\n", version="1")
    assert answer.status_code == 409
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert (entry.job.command, entry.row.actor) == ("theirs", "token:ci")
    assert '<span class="minus">-command: &#39;true&#39;</span>' in answer.text
    assert '<span class="plus">+command: theirs</span>' in answer.text
    assert '<span class="plus">+command: mine</span>' in answer.text
    assert "What ci (API token) changed" in answer.text
    assert "Save over version 2" in answer.text
    assert _typed(answer.text) == "command: mine # really\n"
    again = await _send(
        admin, "/jobs/fresh/edit", definition=_typed(answer.text), version=_version(answer.text)
    )
    assert again.status_code == 303
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert (entry.job.command, entry.row.version) == ("mine", 3)


async def test_job_that_was_removed_meanwhile_is_told_of_and_can_be_made_anew(
    home: House, admin: httpx.AsyncClient
) -> None:
    await _make(admin)
    assert (await _send(admin, "/jobs/fresh/delete", version="1")).status_code == 303
    answer = await _send(admin, "/jobs/fresh/edit", definition=TEXT, version="1")
    assert answer.status_code == 409
    assert "was removed by somebody else" in answer.text
    again = await _send(admin, "/jobs/fresh/edit", definition=TEXT, version=_version(answer.text))
    assert again.status_code == 303


async def test_removal_of_what_was_changed_meanwhile_asks_again(
    home: House, admin: httpx.AsyncClient
) -> None:
    await _make(admin)
    await _send(admin, "/jobs/fresh/edit", definition="command: x\n", version="1")
    answer = await _send(admin, "/jobs/fresh/delete", version="1")
    assert answer.status_code == 409
    assert "changed it meanwhile" in answer.text
    assert home.tools.registry.entry("fresh") is not None
    assert _version(answer.text) == "2"


async def test_fields_are_written_into_the_text_which_keeps_its_comments(
    home: House, admin: httpx.AsyncClient
) -> None:
    fields = {
        "was__description": "",
        "field__description": "For <all>",
        "was__schedule__cron": "",
        "field__schedule__cron": "0 3 * * *",
        "was__command": "true",
        "field__command": "echo 1\necho 2\n",
    }
    answer = await _send(admin, "/new", name="fresh", definition=TEXT, do="check", **fields)
    assert answer.status_code == 200
    typed = _typed(answer.text)
    assert "# mine\ncommand: |" in typed
    assert "description: For <all>\nschedule:\n  cron: 0 3 * * *\n" in typed
    assert '<span class="plus">+description: For &lt;all&gt;</span>' in answer.text
    assert home.tools.registry.entry("fresh") is None
    await _make(admin, text=typed)
    page = (await admin.get("/jobs/fresh/edit")).text
    assert 'name="field.schedule.cron" value="0 3 * * *"' in page
    taken = {"was__schedule__cron": "0 3 * * *", "field__schedule__cron": ""}
    answer = await _send(admin, "/jobs/fresh/edit", definition=_typed(page), version="1", **taken)
    assert answer.status_code == 303
    entry = home.tools.registry.entry("fresh")
    assert entry is not None
    assert (entry.job.schedule, entry.job.command) == (None, "echo 1\necho 2\n")


async def test_parameter_is_added_to_the_text(home: House, admin: httpx.AsyncClient) -> None:
    fields = {"parameter": "DAYS", "parameter__type": "integer", "parameter__required": "true"}
    answer = await _send(admin, "/new", name="fresh", definition=TEXT, do="check", **fields)
    assert answer.status_code == 200
    assert _typed(answer.text) == TEXT + ("parameters:\n  DAYS:\n    type: integer\n    required: true\n")
    fields = {"parameter": "<a>", "parameter__default": "1"}
    answer = await _send(admin, "/new", name="fresh", definition=TEXT, **fields)
    assert answer.status_code == 422
    assert "Line 6, column 5" in answer.text
    assert "<a>" not in answer.text


async def test_keys_have_their_meanings_and_values(admin: httpx.AsyncClient) -> None:
    page = (await admin.get("/new")).text
    assert 'data-key="schedule.cron"' in page
    row = page.split('data-key="concurrency"')[1].split("</div>")[0]
    assert re.findall(r"<code>(\w+)</code>", row) == ["concurrency", "allow", "forbid", "replace", "queue"]
    assert 'data-key="on.release" data-entry' in page
    assert all(key.about for key in job_keys() if key.path.split(".")[0] in ("on", "requires"))
    assert {key.path for key in job_keys()} >= set(ENTRIES)


async def test_job_of_the_file_is_shown_with_its_place_and_stays(
    home: House, admin: httpx.AsyncClient
) -> None:
    page = (await admin.get("/jobs/check/edit")).text
    assert "<code>app.yaml:1</code>" in page
    assert "<textarea" not in page
    assert 'href="/jobs/check/edit"' not in (await admin.get("/jobs/check/definition")).text
    answer = await _send(admin, "/jobs/check/edit", definition="command: x\n", version="1")
    assert answer.status_code == 409
    assert "defined in the configuration file" in answer.text
    assert _typed(answer.text) == "command: x\n"
    assert "<button" not in (await admin.get("/jobs/check/delete")).text.split("<main>")[1]
    assert (await _send(admin, "/jobs/check/delete", version="1")).status_code == 409


async def test_job_that_the_file_lost_is_removed_with_its_history(
    home: House, admin: httpx.AsyncClient
) -> None:
    await home.says("/job run check")
    run = await home.run(1)
    file = home.home / "app.yaml"
    file.write_text(file.read_text().replace('"check": {', '"other": {'))
    await home.reread()
    assert 'href="/jobs/check/delete"' in (await admin.get("/jobs/check")).text
    assert "goes on or waits" in (await admin.get("/jobs/check/delete")).text
    assert (await _send(admin, "/jobs/check/delete", version="")).status_code == 409
    await _send(admin, f"/runs/{run.number}/cancel")
    page = (await admin.get("/jobs/check/delete")).text
    assert (await _send(admin, "/jobs/check/delete", version=_version(page))).status_code == 303
    assert (await admin.get("/jobs/check")).status_code == 404


async def test_others_than_admins_see_no_such_pages(tmp_path: Path) -> None:
    async with house(tmp_path) as home:
        registry = home.tools.registry
        job = Job(name="fresh", command="true", image="shop")
        await registry.put(job, actor="token:ops", expected=lambda version: True)
        async with await of_token(home, "read") as reader, await of_person(home, "octocat") as person:
            for browser in (reader, person):
                for path in ("/new", "/jobs/fresh/edit", "/jobs/fresh/delete"):
                    assert (await browser.get(path)).status_code == 404
                    answer = await _send(browser, path, name="own", definition="command: x\n", version="1")
                    assert answer.status_code == 404
                for path in ("/jobs", "/jobs/fresh/definition"):
                    answer = await browser.get(path)
                    assert answer.status_code == 200
                    assert not re.search(r'href="(/new|[^"]*/edit|[^"]*/delete)"', answer.text)
        entry = registry.entry("fresh")
        assert entry is not None
        assert (entry.job, registry.entry("own")) == (job, None)


async def test_form_of_another_site_changes_nothing(home: House, admin: httpx.AsyncClient) -> None:
    foreign = {"sec-fetch-site": "cross-site"}
    answer = await admin.post("/new", data={"name": "fresh", "definition": TEXT}, headers=foreign)
    assert answer.status_code == 403
    assert home.tools.registry.entry("fresh") is None
