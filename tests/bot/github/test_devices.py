"""Logins from a terminal: on github.com and on an Enterprise Server, with every answer that GitHub has."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from bot.config import github_app
from bot.errors import Refused
from bot.github import AppClient, DeviceCode, Logins, Pending
from demo.github import GitHubStandIn
from demo.standins import serving
from executor.spec import Secret
from tests.clocks import Clock, clock

__all__ = ["clock"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Logins of the App of a GitHub."""

    github: GitHubStandIn
    logins: Logins

    async def agree(self, code: DeviceCode, login: str = "octocat", **more: str) -> int:
        """What a browser does where the code is typed; the status of the page."""
        assert code.verification_uri == f"{self.github.url}/login/device"
        async with httpx.AsyncClient() as browser:
            assert "Device activation" in (await browser.get(code.verification_uri)).text
            fields = {"user_code": code.user_code.lower(), "login": login, **more}
            return (await browser.post(code.verification_uri, data=fields)).status_code


@pytest.fixture(params=[False, True], ids=["cloud", "enterprise"])
async def setting(request: pytest.FixtureRequest, clock: Clock) -> AsyncIterator[Setting]:
    github = GitHubStandIn(clock=clock, enterprise=request.param)
    async with serving(github) as url:
        github.url = url
        web = github_app.web_url(github.api_url)
        logins = Logins(AppClient(web, github.api_url, github.client.id, Secret(github.client.secret)), clock)
        yield Setting(github, logins)
        await logins.close()


async def test_code_is_of_who_agreed_once_and_its_token_ends(setting: Setting, clock: Clock) -> None:
    code = await setting.logins.begin_device()
    assert (code.expires_in, code.interval) == (900, 5)
    assert isinstance(await setting.logins.login_of_device(code.device_code), Pending)
    assert await setting.agree(code, "Ada") == 200
    clock.ahead += code.interval
    assert await setting.logins.login_of_device(code.device_code) == "Ada"
    assert setting.github.client.tokens == set()
    assert setting.github.misfits == []
    with pytest.raises(Refused) as raised:
        await setting.logins.login_of_device(code.device_code)
    assert raised.value.status == "incorrect_device_code"


async def test_who_asks_too_soon_has_to_wait_longer(setting: Setting, clock: Clock) -> None:
    code = await setting.logins.begin_device()
    assert await setting.logins.login_of_device(code.device_code) == Pending(None)
    assert await setting.logins.login_of_device(code.device_code) == Pending(10)
    await setting.agree(code)
    clock.ahead += 9
    assert await setting.logins.login_of_device(code.device_code) == Pending(15)
    clock.ahead += 15
    assert await setting.logins.login_of_device(code.device_code) == "octocat"


async def test_no_and_the_end_of_its_time_are_told(setting: Setting, clock: Clock) -> None:
    denied, late = await setting.logins.begin_device(), await setting.logins.begin_device()
    await setting.agree(denied, denied="1")
    clock.ahead += 5
    with pytest.raises(Refused) as raised:
        await setting.logins.login_of_device(denied.device_code)
    assert raised.value.status == "access_denied"
    clock.ahead += 900
    assert await setting.agree(late) == 404
    with pytest.raises(Refused) as raised:
        await setting.logins.login_of_device(late.device_code)
    assert raised.value.status == "expired_token"


async def test_app_without_the_flow_says_so(setting: Setting) -> None:
    setting.github.client.has_device_flow = False
    with pytest.raises(Refused) as raised:
        await setting.logins.begin_device()
    assert raised.value.status == "device_flow_disabled"


async def test_client_that_github_does_not_know_is_told(setting: Setting) -> None:
    setting.github.client.id = "Iv1.other"
    with pytest.raises(Refused) as raised:
        await setting.logins.begin_device()
    assert raised.value.status == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"verification_uri": "https://evil.example/login/device"},
        {"user_code": "<b>"},
        {"device_code": "../x"},
        {"user_code": None},
    ],
)
async def test_codes_that_are_none_are_not_passed_on(setting: Setting, wrong: dict[str, str | None]) -> None:
    body = {
        "device_code": "d" * 40,
        "user_code": "ABCD-EFGH",
        "verification_uri": f"{setting.github.url}/login/device",
    }
    setting.github.fail("/login/device/code", 200, body={**body, **wrong})
    with pytest.raises(Refused):
        await setting.logins.begin_device()
