"""What people do on pages: from our own forms only, what their comments could, and once."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.bot.house import SHOP, House, house
from tests.webhooks.pages.browsers import OWN, of_person


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A bot with jobs of two repositories."""
    async with house(tmp_path) as made:
        yield made


@pytest.fixture
async def octocat(home: House) -> AsyncIterator[httpx.AsyncClient]:
    """Who may write to the shop."""
    async with await of_person(home, "octocat") as browser:
        yield browser


async def test_person_starts_stops_and_repeats_what_their_comments_could(
    home: House, octocat: httpx.AsyncClient
) -> None:
    answer = await octocat.post("/jobs/check/run", data={"key": "k" * 16}, headers=OWN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs/1")
    run = await home.run(1)
    assert (run.actor, run.cause) == ("github:octocat", "page")
    again = await octocat.post("/jobs/check/run", data={"key": "k" * 16}, headers=OWN)
    assert again.headers["location"] == "/runs/1"
    page = (await octocat.get("/runs/1")).text
    assert '<form class="act" method="post" action="/runs/1/cancel">' in page
    assert (await octocat.post("/runs/1/cancel", headers=OWN)).headers["location"] == "/runs/1"
    assert (await home.run(1)).stop_by == "github:octocat"
    assert (await octocat.post("/runs/1/rerun", headers=OWN)).headers["location"] == "/runs/2"
    assert (await home.run(2)).rerun_of == 1


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
async def test_form_of_another_site_does_nothing(
    home: House, octocat: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await octocat.post("/jobs/check/run", headers=headers)).status_code == 403
    with pytest.raises(AssertionError):
        await home.run(1)


async def test_person_without_rights_sees_and_does_nothing(home: House) -> None:
    async with await of_person(home, "stranger") as browser:
        assert (await browser.get("/")).status_code == 401
        assert (await browser.post("/jobs/check/run", headers=OWN)).status_code == 401


async def test_person_sees_the_jobs_that_they_may_run_and_no_others(home: House) -> None:
    home.github.add_person(SHOP, "ada", "write")
    async with await of_person(home, "ada") as browser:
        assert '<a href="/jobs">' in (await browser.get("/")).text
        page = (await browser.get("/jobs")).text
        assert "/jobs/check" in page
        assert "/jobs/publish" not in page
        assert (await browser.get("/jobs/publish")).status_code == 404
        refused = await browser.post("/jobs/publish/run", headers=OWN)
        assert refused.status_code == 409
        assert "write access" in refused.text


async def test_logout_ends_the_session_on_the_server(octocat: httpx.AsyncClient) -> None:
    cookies = dict(octocat.cookies)
    await octocat.post("/logout", headers=OWN)
    octocat.cookies.update(cookies)
    assert (await octocat.get("/")).status_code == 401


async def test_wrong_parameter_is_told_and_starts_nothing(home: House, octocat: httpx.AsyncClient) -> None:
    answer = await octocat.post("/jobs/deploy/run", data={"parameter.NOPE": "<b>"}, headers=OWN)
    assert answer.status_code == 422
    assert "NOPE" in answer.text
    assert "<b>" not in answer.text
