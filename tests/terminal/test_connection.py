"""`errand check --github` against a GitHub that is as strict as the real one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Config, load
from bot.config.github_app import manifest
from demo.github import GitHubStandIn
from demo.github.accounts import Registered
from demo.github.state import Recorded
from demo.standins import serving
from terminal.connection import check_github
from terminal.failures import Failure

HOOK = "https://errand.example.com/webhooks/github"
FILE = """url: https://errand.example.com
github: {{app_id: "{app}", private_key: "${{KEY}}", webhook_secret: a-secret-of-ours, api_url: "{url}"{more}}}
images: {{shop: {{build: {{repository: acme/shop}}}}}}
jobs: {{migrate: {{image: shop, command: "true", on: [push, {{deployment: production}}]}}}}
"""


class _Setting:
    def __init__(self, github: GitHubStandIn, path: Path) -> None:
        self.github, self._path = github, path
        self.config = self.configured()
        self.made = manifest(self.config, redirect=HOOK)
        github.install("acme", permissions=dict(self.made["default_permissions"]))  # type: ignore[call-overload]
        github.state.registered = Registered(self.made, "acme", 0.0)
        for each in github.state.installations.values():
            each.events = list(self.made["default_events"])  # type: ignore[call-overload]

    def configured(self, more: str = "") -> Config:
        text = FILE.format(app=self.github.app_id, url=self.github.url, more=more)
        self._path.write_text(text)
        return load(self._path, {"KEY": self.github.private_key})

    def deliver(self, guid: str, status: int) -> None:
        number = next(self.github.state.ids)
        self.github.state.recorded.append(Recorded(number, guid, "push", {}, status, 1.7e9))

    async def check(self, config: Config | None = None) -> None:
        await asyncio.to_thread(check_github, config or self.config)


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[_Setting]:
    github = GitHubStandIn()
    async with serving(github) as url:
        github.url = url
        yield _Setting(github, tmp_path / "app.yaml")


async def test_app_that_has_all_is_told_and_nothing_more(
    setting: _Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.deliver("a", 0)
    setting.deliver("a", 202)  # redelivered
    await setting.check()
    out, err = capsys.readouterr()
    assert "acme" in out
    assert "1 of the last 2" in out
    assert err == ""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("permission", "lacks the permission deployments: write"),
        ("event", "lacks the event deployment"),
        ("nowhere", "not installed on acme"),
        ("suspended", "suspended on acme"),
        ("older", "acme has not agreed yet to the permission deployments: write"),
        ("hook", "deliveries go to https://old.example.com/webhooks/github"),
        ("failed", "Delivery b-1 (push, 2023-11-14 22:13 UTC) did not arrive: answered with 502"),
    ],
)
async def test_what_is_missing_is_told(
    setting: _Setting, wrong: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made, state = setting.made, setting.github.state
    (installed,) = state.installations.values()
    if wrong == "permission":
        del made["default_permissions"]["deployments"]  # type: ignore[attr-defined]
    elif wrong == "event":
        made["default_events"].remove("deployment")  # type: ignore[attr-defined]
    elif wrong == "nowhere":
        state.installations.clear()
    elif wrong == "suspended":
        installed.suspended_at = 1.0
    elif wrong == "older":
        del installed.permissions["deployments"]
    elif wrong == "hook":
        made["hook_attributes"]["url"] = "https://old.example.com/webhooks/github"  # type: ignore[index]
    else:
        setting.deliver("b-1", 502)
    with pytest.raises(Failure):
        await setting.check()
    assert told in capsys.readouterr().err


async def test_what_is_fetched_need_not_arrive(setting: _Setting) -> None:
    setting.made["hook_attributes"]["url"] = "https://errand.invalid/webhooks/github"  # type: ignore[index]
    setting.deliver("b-1", 0)
    await setting.check(setting.configured(", poll: 10s"))


async def test_token_has_no_app_to_ask_about(setting: _Setting) -> None:
    with pytest.raises(Failure, match="errand setup github"):
        await setting.check(Config())


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("", "on pages, and with `errand login`"),
        ("unset", "with API tokens only"),
        ("flow", "Enable Device Flow is off"),
        ("secret", "GitHub does not take github.client_id with github.client_secret"),
        ("id", "github.client_id is not this App's"),
    ],
)
async def test_how_people_log_in_is_asked(
    setting: _Setting, wrong: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client = setting.github.client
    number, secret = client.id, client.secret
    if wrong == "flow":
        client.has_device_flow = False
    elif wrong == "secret":
        secret = "another-secret"
    elif wrong == "id":
        number = "Iv1.0123456789"
    more = "" if wrong == "unset" else f', client_id: {number}, client_secret: "{secret}"'
    config = setting.configured(more)
    if wrong in ("secret", "id"):
        with pytest.raises(Failure):
            await setting.check(config)
    else:
        await setting.check(config)
    out, err = capsys.readouterr()
    assert told in out + err
    assert secret not in out + err
