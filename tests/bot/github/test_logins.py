"""Who a code of GitHub's is of: on github.com and on an Enterprise Server, and what no code gets through."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.config import github_app
from bot.errors import Refused
from bot.github import AppClient, Logins
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.clocks import Clock, clock

__all__ = ["clock"]

BACK = "https://errand.example.com/login/github/callback"
VERIFIER = "v" * 43


@dataclass(frozen=True, slots=True)
class Setting:
    """Logins of the App of a GitHub."""

    github: GitHubStandIn
    logins: Logins

    def with_secret(self, secret: str) -> Logins:
        """The same with another secret."""
        web, api = github_app.web_url(self.github.api_url), self.github.api_url
        return Logins(AppClient(web, api, self.github.client.id, Secret(secret)), lambda: 0.0)

    async def code(self, *, verifier: str = VERIFIER, back: str = BACK, login: str = "octocat") -> str:
        """What a browser brings back."""
        there = self.logins.address("s" * 43, verifier, back)
        assert there.startswith(f"{self.github.url}/login/oauth/authorize?")
        fields = {name: each[-1] for name, each in parse_qs(urlsplit(there).query).items()}
        async with httpx.AsyncClient() as browser:
            assert (await browser.get(there)).status_code == 200
            sent = await browser.post(there.partition("?")[0], data={**fields, "login": login})
        return parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]


@pytest.fixture(params=[False, True], ids=["cloud", "enterprise"])
async def setting(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Setting]:
    github = GitHubStandIn(clock=clock, enterprise=request.param)
    async with serving(github) as url:
        github.url = url
        github.client.callbacks = [BACK]
        who = AppClient(
            github_app.web_url(github.api_url), github.api_url, github.client.id, Secret(github.client.secret)
        )
        logins = Logins(who, clock)
        yield Setting(github, logins)
        await logins.close()


async def test_code_is_of_a_person_and_its_token_ends(setting: Setting) -> None:
    assert await setting.logins.login_of(await setting.code(login="Ada"), VERIFIER, BACK) == "Ada"
    assert setting.github.client.tokens == set()
    assert setting.github.misfits == []


async def test_code_counts_once_for_ten_minutes_and_with_its_verifier(setting: Setting, clock: Clock) -> None:
    code = await setting.code()
    await setting.logins.login_of(code, VERIFIER, BACK)
    late = await setting.code()
    clock.ahead += 601
    for wrong in (code, late, "none", "", "../x", "x" * 300):
        with pytest.raises(Refused):
            await setting.logins.login_of(wrong, VERIFIER, BACK)
    with pytest.raises(Refused, match="bad_verification_code"):
        await setting.logins.login_of(await setting.code(), "w" * 43, BACK)
    with pytest.raises(Refused, match="redirect_uri_mismatch"):
        await setting.logins.login_of(await setting.code(), VERIFIER, f"{BACK}/other")


async def test_wrong_secret_is_told_and_not_shown(setting: Setting) -> None:
    wrong = setting.with_secret("wr0ng-secret")
    with pytest.raises(Refused, match="incorrect_client_credentials") as raised:
        await wrong.login_of(await setting.code(), VERIFIER, BACK)
    assert "wr0ng" not in str(raised.value)
    await wrong.close()


async def test_bot_is_no_person(setting: Setting) -> None:
    with pytest.raises(Refused, match="no account of a person"):
        await setting.logins.login_of(await setting.code(login="errand[bot]"), VERIFIER, BACK)
    assert setting.github.client.tokens == set()


async def test_token_that_cannot_be_given_back_hinders_nobody(setting: Setting) -> None:
    setting.github.fail("/applications/", 500)
    assert await setting.logins.login_of(await setting.code(), VERIFIER, BACK) == "octocat"


async def test_address_that_is_none_of_the_app_gets_no_code(setting: Setting) -> None:
    there = setting.logins.address("s" * 43, VERIFIER, "https://evil.example/callback")
    async with httpx.AsyncClient() as browser:
        sent = await browser.get(there)
    assert sent.headers["location"].startswith(f"{BACK}?error=redirect_uri_mismatch")
