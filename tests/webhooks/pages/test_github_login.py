"""People log in with GitHub: there and back, once, and only who may see something here."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.async_api import Page, expect
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.github import AppClient, Logins
from demo.standins import serving
from executor.spec import Secret
from tests.bot.house import SHOP, House, house
from tests.webhooks.sites import composed
from webhooks.failures import MOST_FAILURES
from webhooks.streams import Streams

URL = "https://errand.example.com"
OWN = {"sec-fetch-site": "same-origin"}
BACK = "/login/github/callback"
_MINUTE = 61.0


class Visit:
    """A browser at the pages of `home`, which goes to GitHub and back."""

    def __init__(self, home: House, site: ASGIApp) -> None:
        self.home = home
        self.pages = httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=URL)

    async def leave(self, target: str = "/") -> str:
        """Where at GitHub it is sent to."""
        answer = await self.pages.get("/login/github", params={"next": target})
        assert answer.status_code == 303
        return answer.headers["location"]

    async def back(self, there: str, login: str = "octocat", **more: str) -> str:
        """The path to which GitHub sends it, when `login` has agreed there."""
        fields = {name: each[-1] for name, each in parse_qs(urlsplit(there).query).items()}
        async with httpx.AsyncClient() as github:
            form = await github.get(there)
            assert "Authorize" in form.text
            sent = await github.post(there.partition("?")[0], data={**fields, "login": login, **more})
        assert sent.status_code == 302
        return sent.headers["location"].removeprefix(URL)

    async def log_in(self, login: str = "octocat", target: str = "/") -> httpx.Response:
        """All the way."""
        return await self.pages.get(await self.back(await self.leave(target), login))

    async def status(self, path: str = "/") -> int:
        """What a page answers."""
        return (await self.pages.get(path)).status_code


def logins(home: House) -> Logins:
    """As the service makes them."""
    client = home.github.client
    who = AppClient(home.beside.github_url, home.github.api_url, client.id, Secret(client.secret))
    return Logins(who, home.tools.clock)


@pytest.fixture
async def visits(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[list[Visit]]:
    """Two browsers at one house; the marker's argument changes its `app.yaml`."""
    changes = getattr(request, "param", {})
    async with house(tmp_path, changes=changes) as home:
        home.github.client.callbacks = [URL + BACK]
        asking = logins(home)
        site = Starlette(routes=composed(home.bot, url=URL, logins=asking).routes())
        made = [Visit(home, site), Visit(home, site)]
        yield made
        for each in made:
            await each.pages.aclose()
        await asking.close()


@pytest.fixture
def visit(visits: list[Visit]) -> Visit:
    """The first browser."""
    return visits[0]


async def test_there_and_back_to_the_page_and_out_again(visit: Visit) -> None:
    assert 'href="/login/github?next=/jobs/check"' in (await visit.pages.get("/jobs/check")).text
    answer = await visit.log_in(target="/jobs/check")
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/check")
    cookie = answer.headers.get_list("set-cookie")[0]
    for part in ("__Host-errand=person_", "HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    shown = await visit.pages.get("/jobs/check")
    assert (shown.status_code, "octocat" in shown.text) == (200, True)
    kept = dict(visit.pages.cookies)
    await visit.pages.post("/logout", headers=OWN)
    visit.pages.cookies.update(kept)
    assert await visit.status() == 401


async def test_token_of_a_login_is_given_back_at_once(visit: Visit) -> None:
    await visit.log_in()
    client, state = visit.home.github.client, visit.home.github.state
    assert visit.home.github.count("/applications/", "DELETE") == 1
    assert client.tokens == set()
    assert not [each for each in state.tokens.values() if each.login == "octocat"]


async def test_what_github_is_told_holds_no_secret_and_goes_to_our_own_address(visit: Visit) -> None:
    there = await visit.leave()
    query = parse_qs(urlsplit(there).query)
    assert query["redirect_uri"] == [URL + BACK]
    assert query["code_challenge_method"] == ["S256"]
    assert visit.home.github.client.secret not in there


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example/", "/\\evil.example", "/logout"])
async def test_login_leads_nowhere_else(visit: Visit, target: str) -> None:
    assert (await visit.log_in(target=target)).headers["location"] == "/"


async def test_wrong_state_logs_nobody_in_and_asks_nobody(visit: Visit) -> None:
    back = await visit.back(await visit.leave())
    answer = await visit.pages.get(back.replace("state=", "state=x"))
    assert (answer.status_code, "did not begin here" in answer.text) == (403, True)
    assert visit.home.github.count("access_token", "POST") == 0
    assert await visit.status() == 401


async def test_way_back_of_one_browser_is_nothing_in_another(visits: list[Visit]) -> None:
    mine, theirs = visits
    back = await mine.back(await mine.leave())
    await theirs.leave()
    assert (await theirs.pages.get(back)).status_code == 403
    assert await theirs.status() == 401


async def test_code_counts_once(visit: Visit) -> None:
    there = await visit.leave()
    cookies = dict(visit.pages.cookies)
    back = await visit.back(there)
    assert (await visit.pages.get(back)).status_code == 303
    visit.pages.cookies.clear()
    visit.pages.cookies.update(cookies)
    assert (await visit.pages.get(back)).status_code == 403
    assert await visit.status() == 401


async def test_code_of_somebody_elses_way_there_proves_nothing(visits: list[Visit]) -> None:
    """PKCE: a code that was made for another state is not taken, even with a state that fits."""
    mine, theirs = visits
    code = parse_qs(urlsplit(await mine.back(await mine.leave())).query)["code"][0]
    state = parse_qs(urlsplit(await theirs.leave()).query)["state"][0]
    answer = await theirs.pages.get(BACK, params={"code": code, "state": state})
    assert answer.status_code == 403
    assert await theirs.status() == 401


async def test_no_at_github_is_said(visit: Visit) -> None:
    back = await visit.back(await visit.leave(), denied="1")
    assert "error=access_denied" in back
    answer = await visit.pages.get(back)
    assert (answer.status_code, "told no" in answer.text) == (403, True)


async def test_somebody_without_rights_gets_no_session(visit: Visit) -> None:
    answer = await visit.log_in("stranger")
    assert answer.status_code == 403
    assert "stranger may run nothing here" in answer.text
    assert await visit.status() == 401


async def test_right_that_is_lost_ends_the_pages_a_minute_later(visit: Visit) -> None:
    visit.home.github.add_person(SHOP, "ada", "write")
    await visit.log_in("ada")
    assert await visit.status() == 200
    visit.home.github.add_person(SHOP, "ada", "read")
    visit.home.now += _MINUTE
    assert await visit.status() == 401


@pytest.mark.parametrize("path", ["/login/oauth/access_token", "/user$"])
async def test_github_away_is_said_and_it_works_later(visit: Visit, path: str) -> None:
    visit.home.github.fail(path, 502)
    answer = await visit.log_in()
    assert (answer.status_code, "does not answer" in answer.text) == (503, True)
    assert (await visit.log_in()).status_code == 303


async def test_limit_of_one_person_keeps_nobody_else_out(visit: Visit) -> None:
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"}
    visit.home.github.fail("/user$", 403, headers=spent)
    assert (await visit.log_in()).status_code == 503
    assert (await visit.log_in()).status_code == 303


async def test_ways_back_that_fail_have_to_wait(visit: Visit) -> None:
    for _ in range(MOST_FAILURES):
        assert (await visit.pages.get(f"{BACK}?code=x&state=y")).status_code == 403
    answer = await visit.log_in()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    visit.home.now += _MINUTE
    assert (await visit.log_in()).status_code == 303


ORGANIZATION = {"pages": {"access": ["github:@acme"]}}
TEAM = {"pages": {"access": ["github:@acme/ops"]}}


@pytest.mark.parametrize(
    ("visits", "login", "status"),
    [
        (ORGANIZATION, "member", 200),
        (ORGANIZATION, "stranger", 401),
        (TEAM, "operator", 200),
        (TEAM, "member", 401),
        (TEAM, "invited", 401),
    ],
    indirect=["visits"],
)
async def test_organization_or_team_sees_all_and_runs_nothing(
    visits: list[Visit], login: str, status: int
) -> None:
    visit, github = visits[0], visits[0].home.github
    for installation in github.state.installations.values():
        installation.permissions["members"] = "read"
    for each in ("member", "operator"):
        github.add_member("acme", each)
    github.add_to_team("acme", "ops", "operator")
    github.add_to_team("acme", "ops", "invited", "pending")
    await visit.log_in(login)
    assert await visit.status("/jobs/plain") == status
    if status == 200:
        assert (await visit.pages.post("/jobs/check/run", headers=OWN)).status_code == 409


@pytest.mark.parametrize("visits", [ORGANIZATION], indirect=True)
async def test_members_that_may_not_be_read_are_nobody(visits: list[Visit]) -> None:
    visits[0].home.github.add_member("acme", "member")
    assert (await visits[0].log_in("member")).status_code == 403


@pytest.mark.browser
async def test_person_logs_in_by_a_click_stops_a_run_and_leaves(tmp_path: Path, page: Page) -> None:
    sites: list[ASGIApp] = []
    streams = Streams()

    async def later(scope: Scope, receive: Receive, send: Send) -> None:
        await sites[0](scope, receive, send)

    async with house(tmp_path) as home, serving(later) as url:
        home.github.client.callbacks = [url + BACK]
        asking = logins(home)
        site = composed(home.bot, url=url, streams=streams, logins=asking)
        sites.append(Starlette(routes=site.routes()))
        await home.says("/job run check", author="octocat")
        await page.goto(f"{url}/runs/1")
        await page.get_by_role("link", name="Sign in with GitHub").click()
        await page.get_by_role("button", name="Authorize").click()
        await page.wait_for_url(f"{url}/runs/1")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Stop").click()
        assert (await home.run(1)).stop_by == "github:octocat"
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.get_by_role("link", name="Sign in with GitHub")).to_be_visible()
        await page.goto(f"{url}/runs/1")
        await expect(page.locator("h1")).to_have_text("This page is private")
        await page.close()
        streams.close()
        await asking.close()
