"""The Run tab of a job: typed fields, mistakes at them, a preview, and one run for each form."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.bot.house import HEAD, SHOP, House, house
from tests.webhooks.pages.browsers import OWN, of_person, of_token

JOBS = """
report:
  image: shop
  command: 'echo "$@"'
  description: Sends the <b>report</b>
  env: {API_KEY: "${API_KEY}"}
  parameters:
    REGION: {choices: [eu, us, ""], default: eu, description: "Where & when"}
    COUNT: {type: integer, minimum: 1, maximum: 10, default: 3}
    DAY: {pattern: '\\d{4}-\\d{2}-\\d{2}', description: The day}
    DRY: {type: boolean, default: true}
    SURE: {type: boolean, required: true}
    NAME: {required: true, pattern: "[a-z]+"}
    NOTE: {default: "one\\n<two>"}
"""
FILLED = {
    "parameter.REGION": "us",
    "parameter.COUNT": "4",
    "parameter.DRY": "false",
    "parameter.SURE": "true",
    "parameter.NAME": "ada",
    "parameter.NOTE": "a\r\nb",
    "arguments": "one 'two three'",
    "ref": "",
    "key": "k" * 16,
}


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jobs=JOBS) as made:
        yield made


@pytest.fixture
async def octocat(home: House) -> AsyncIterator[httpx.AsyncClient]:
    """Who may write to the shop."""
    async with await of_person(home, "octocat") as browser:
        yield browser


def _input(page: str, name: str) -> str:
    """The tags of a field."""
    found = re.search(rf'<(?:input|select|textarea)[^>]* id="{re.escape(name)}".*?>', page)
    assert found is not None, name
    return found[0]


async def test_every_parameter_has_the_input_that_fits_it(octocat: httpx.AsyncClient) -> None:
    page = (await octocat.get("/jobs/report/run")).text
    assert _input(page, "parameter.REGION").startswith("<select")
    assert '<option value="eu" selected>' in page
    count = _input(page, "parameter.COUNT")
    assert all(part in count for part in ('type="number"', 'min="1"', 'max="10"', 'step="1"', 'value="3"'))
    assert 'type="date"' in _input(page, "parameter.DAY")
    tick = _input(page, "parameter.DRY")
    assert "checkbox" in tick
    assert " checked" in tick
    assert _input(page, "parameter.SURE").startswith("<select")
    assert 'aria-required="true"' in _input(page, "parameter.NAME")
    assert "one\n&lt;two&gt;</textarea>" in page
    assert "Where &amp; when" in page
    assert "Sends the &lt;b&gt;report" in page
    assert 'name="ref"' in page
    assert 'name="arguments"' in page
    assert 'name="image_tag"' not in page


async def test_form_starts_one_run_however_often_it_is_sent(home: House, octocat: httpx.AsyncClient) -> None:
    for _ in range(2):
        answer = await octocat.post("/jobs/report/run", data=FILLED, headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    run = await home.run(1)
    assert run.parameters == {
        "REGION": "us",
        "COUNT": "4",
        "DRY": "false",
        "SURE": "true",
        "NAME": "ada",
        "NOTE": "a\nb",
    }
    assert (run.arguments, run.actor, run.cause) == (["one", "two three"], "github:octocat", "page")
    other = FILLED | {"parameter.NAME": "kim"}  # the page was gone back to, and changed
    answer = await octocat.post("/jobs/report/run", data=other, headers=OWN)
    assert answer.headers["location"] == "/runs/2"


async def test_all_mistakes_stand_at_their_fields_with_what_was_typed(
    home: House, octocat: httpx.AsyncClient
) -> None:
    wrong = {
        "parameter.REGION": "mars",
        "parameter.COUNT": "11",
        "parameter.DAY": "<tomorrow>",
        "parameter.DRY": "false",
        "parameter.NAME": "A B",
        "parameter.OTHER": "x",
        "ref": "no..ref",
        "arguments": "one 'two",
    }
    answer = await octocat.post("/jobs/report/run", data=wrong, headers=OWN)
    page = answer.text
    assert answer.status_code == 422
    for name in ("REGION", "COUNT", "DAY", "SURE", "NAME"):
        assert 'aria-invalid="true"' in _input(page, f"parameter.{name}")
        assert f'id="parameter.{name}-mistake"' in page
    assert 'id="ref-mistake"' in page
    assert 'id="arguments-mistake"' in page
    assert 'value="11"' in page
    assert 'value="&lt;tomorrow&gt;"' in page
    assert 'value="A B"' in page
    assert " checked" not in _input(page, "parameter.DRY")
    assert "OTHER" in page
    with pytest.raises(AssertionError):
        await home.run(1)


async def test_preview_is_what_plan_says_and_starts_nothing(home: House, octocat: httpx.AsyncClient) -> None:
    answer = await octocat.post("/jobs/report/run", data=FILLED | {"do": "preview"}, headers=OWN)
    page = answer.text
    assert answer.status_code == 200
    assert "would run, nothing was started" in page
    assert HEAD[:12] in page
    assert "nothing is in its way" in page
    assert "API_KEY" in page
    assert "s3cr3t" not in page
    assert 'value="ada"' in page
    with pytest.raises(AssertionError):
        await home.run(1)


async def test_branch_that_is_not_there_is_told_with_what_was_typed(octocat: httpx.AsyncClient) -> None:
    answer = await octocat.post("/jobs/report/run", data=FILLED | {"ref": "nowhere"}, headers=OWN)
    assert answer.status_code in (409, 422)
    assert 'value="nowhere"' in answer.text
    assert 'role="alert"' in answer.text


async def test_github_that_does_not_answer_leaves_what_was_typed(
    home: House, octocat: httpx.AsyncClient
) -> None:
    home.github.fail("/git/", 502, times=100)
    for do in ("preview", "run"):
        answer = await octocat.post("/jobs/report/run", data=FILLED | {"do": do}, headers=OWN)
        assert (answer.status_code, "try again soon" in answer.text) == (503, True)
        assert 'value="ada"' in answer.text


async def test_run_fills_the_form_of_the_next(home: House, octocat: httpx.AsyncClient) -> None:
    await octocat.post("/jobs/report/run", data=FILLED, headers=OWN)
    page = (await octocat.get("/jobs/report/run?from=1")).text
    assert '<option value="us" selected>' in page
    assert 'value="ada"' in page
    assert " checked" not in _input(page, "parameter.DRY")
    assert "one &#39;two three&#39;" in page
    assert '<input type="hidden" name="from" value="1">' in page
    changed = FILLED | {"from": "1", "parameter.NAME": "kim", "key": "n" * 16}
    seen = await octocat.post("/jobs/report/run", data=changed | {"do": "preview"}, headers=OWN)
    assert HEAD[:12] in seen.text
    answer = await octocat.post("/jobs/report/run", data=changed, headers=OWN)
    assert answer.headers["location"] == "/runs/2"
    run = await home.run(2)
    assert (run.rerun_of, run.parameters["NAME"], run.parameters["COUNT"]) == (1, "kim", "4")
    for other in ("/jobs/check/run?from=1", "/jobs/report/run?from=9", "/jobs/report/run?from=x"):
        assert (await octocat.get(other)).status_code == 404


async def test_run_is_repeated_by_the_definition_that_it_had(home: House, octocat: httpx.AsyncClient) -> None:
    await octocat.post("/jobs/report/run", data=FILLED, headers=OWN)
    file = home.home / "app.yaml"
    file.write_text(file.read_text().replace('echo \\"$@\\"', 'echo other \\"$@\\"'))
    await home.reread()
    again = FILLED | {"from": "1", "parameter.NAME": "kim"}
    seen = await octocat.post("/jobs/report/run", data=again | {"do": "preview"}, headers=OWN)
    assert "by the definition that #1 had, which has changed since" in seen.text
    await octocat.post("/jobs/report/run", data=again, headers=OWN)
    assert (await home.run(2)).definition == (await home.run(1)).definition
    elsewhere = again | {"ref": HEAD}
    seen = await octocat.post("/jobs/report/run", data=elsewhere | {"do": "preview"}, headers=OWN)
    assert "which has changed since" not in seen.text
    await octocat.post("/jobs/report/run", data=elsewhere, headers=OWN)
    run = await home.run(3)
    assert (run.definition["command"], run.rerun_of, run.commit) == ('echo other "$@"', None, HEAD)


async def test_who_may_not_run_it_learns_nothing_and_starts_nothing(home: House) -> None:
    home.github.add_person(SHOP, "ada", "write")
    async with await of_person(home, "ada") as browser:
        assert (await browser.get("/jobs/publish/run")).status_code == 404
        refused = await browser.post("/jobs/publish/run", data={"parameter.X": "1"}, headers=OWN)
        assert refused.status_code == 409
        assert "write access" in refused.text

    async with await of_person(home, "stranger") as browser:
        assert (await browser.get("/jobs/report/run")).status_code == 401


async def test_token_that_may_only_read_has_no_form_and_starts_nothing(home: House) -> None:
    async with await of_token(home, "read") as browser:
        page = (await browser.get("/jobs/report/run")).text
        assert "<form" not in page.split("<main>")[1]
        assert "/job run report" in page
        for action in ("run", "pause", "resume", "skip"):
            answer = await browser.post(f"/jobs/report/{action}", data=FILLED, headers=OWN)
            assert answer.status_code == 409
            assert "may not start" in answer.text
    with pytest.raises(AssertionError):
        await home.run(1)


async def test_token_that_may_run_starts_a_job_without_an_image(home: House) -> None:
    async with await of_token(home, "read", "run:*") as browser:
        assert "<form" in (await browser.get("/jobs/plain/run")).text.split("<main>")[1]
        answer = await browser.post("/jobs/plain/run", data={"parameter.WHO": "me"}, headers=OWN)
        assert answer.headers["location"] == "/runs/1"
    assert (await home.run(1)).parameters == {"WHO": "me"}


async def test_what_is_in_the_way_is_said_beside_the_form(home: House, octocat: httpx.AsyncClient) -> None:
    assert "nothing is in its way" in (await octocat.get("/jobs/report/run")).text
    await home.says("/job lock report")
    page = (await octocat.get("/jobs/report/run")).text
    assert "nothing is in its way; the lock <code>report</code> is yours" in page
    await home.says('/job lock report "a move" --everyone')
    page = (await octocat.get("/jobs/report/run")).text
    assert "it would wait for" in page
    assert "octocat" in page
