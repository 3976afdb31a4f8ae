"""`errand check --slack` against a Slack that is as strict as the real one."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Config, load, slack_app
from demo.slack import SlackStandIn
from demo.standins import serving
from terminal.failures import Failure
from terminal.slack_connection import check_slack

FILE = """url: {address}
slack:
  bot_token: {slack.token}
  api_url: {slack.url}/api/
  people: {{U0MONA: octocat}}{more}
people: {{ops: ["slack:@keepers"]}}
jobs:
  migrate: {{command: "true", notify: {{slack: "#ops"}}}}
  report: {{command: "true", notify: {{slack: {id}, who: ["slack:@oncall", "slack:U0MONA", "github:x"]}}}}
  private: {{command: "true", notify: {{slack: D012AB3CD}}}}
"""
DOOR = "\n  signing_secret: 0123456789abcdef0123456789abcdef"


class Setting:
    """A workspace in which all is well; `ahead` is by how many seconds its clock is."""

    def __init__(self, slack: SlackStandIn, path: Path) -> None:
        self.ahead = 0.0
        slack.clock = lambda: time.time() + self.ahead
        self.slack, self._path = slack, path
        self.ops = slack.add_channel("ops")
        self.reports = slack.add_channel("reports", private=True)
        self.mona = slack.add_person("mona", id="U0MONA")
        self.oncall = slack.add_group("oncall", self.mona)
        self.keepers = slack.add_group("keepers", self.mona)
        slack.scopes.discard("users:read.email")

    def configured(self, more: str = DOOR, address: str = "https://errand.example.com") -> Config:
        text = FILE.format(address=address, slack=self.slack, id=self.reports.id, more=more)
        self._path.write_text(text)
        return load(self._path, {})

    async def check(self, more: str = DOOR, address: str = "https://errand.example.com") -> None:
        await asyncio.to_thread(check_slack, self.configured(more, address))


@pytest.fixture
async def setting(tmp_path: Path) -> AsyncIterator[Setting]:
    slack = SlackStandIn()
    async with serving(slack) as url:
        slack.url = url
        yield Setting(slack, tmp_path / "app.yaml")
        await slack.socket_mode.stop()


async def test_app_that_has_all_is_shown_and_nothing_is_missing(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setting.slack.scopes == {scope.name for scope in slack_app.scopes(setting.configured())}
    await setting.check()
    out, err = capsys.readouterr()
    assert "Acme" in out
    assert "2 of the 2 channels" in out
    assert "1 of the 1 people" in out
    assert err == ""
    assert setting.slack.token not in out


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("scope", "The app lacks the scope chat:write (posts and edits messages"),
        ("no list", "The app lacks the scope channels:read"),
        ("not in", "#ops (job migrate): the bot is not in it; type /invite @errand there."),
        ("archived", "#ops (job migrate) is archived: unarchive it"),
        ("unknown", "#ops (job migrate): Slack shows Errand no channel #ops: check its name"),
        ("hidden", "(job report): Slack shows Errand no channel C"),
        ("person", "slack.people: the workspace knows no U0MONA"),
        ("left", "slack.people: U0MONA (mona) is deactivated"),
        ("called", "notify.who: the workspace has no user group oncall that is in use"),
        ("ruled", "allow, deny or people: the workspace has no user group keepers that is in use"),
        ("slow", " seconds behind Slack's"),
        ("fast", " seconds ahead of Slack's"),
    ],
)
async def test_what_is_missing_is_told_with_what_to_do(
    setting: Setting, wrong: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    match wrong:
        case "scope":
            setting.slack.scopes.discard("chat:write")
        case "no list":
            setting.slack.scopes -= {"channels:read", "groups:read"}
        case "not in":
            setting.ops.member = False
        case "archived":
            setting.ops.archived = True
        case "unknown":
            setting.ops.name = "operations"
        case "hidden":
            setting.reports.member = False
        case "person":
            setting.slack.people.remove(setting.mona)
        case "left":
            setting.mona.deleted = True
        case "called":
            setting.oncall.handle = "nobody"
        case "ruled":
            setting.keepers.handle = "nobody"
        case _:
            setting.ahead = 400.0 if wrong == "slow" else -400.0
    with pytest.raises(Failure):
        await setting.check()
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == (2 if wrong == "no list" else 1)


async def test_scope_that_nothing_needs_is_told_and_no_failure(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.slack.scopes.add("users:read.email")
    await setting.check()
    assert "has the scope users:read.email, which this app.yaml does not need" in capsys.readouterr().err


async def test_that_nobody_may_ask_is_told_and_no_failure(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    config = setting.configured()
    assert config.slack is not None
    slack = config.slack.model_copy(update={"people": {}})
    await asyncio.to_thread(check_slack, config.model_copy(update={"slack": slack, "people": {}}))
    assert capsys.readouterr().err.startswith("Nobody of Slack is known, so nobody can ask")


async def test_app_token_is_tried(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Failure):
        await setting.check("\n  app_token: xapp-1-wrong")
    assert "Socket Mode does not work: Slack does not know the app token" in capsys.readouterr().err
    await setting.check(f"\n  app_token: {setting.slack.app_token}", "http://127.0.0.1:8000")
    assert "Socket Mode" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "address", "told"),
    [
        ("", "https://errand.example.com", "neither slack.signing_secret nor slack.app_token"),
        (DOOR, "http://127.0.0.1:8000", "Slack does not reach http://127.0.0.1:8000"),
    ],
)
async def test_what_slack_cannot_reach_is_told(
    setting: Setting, more: str, address: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Failure):
        await setting.check(more, address)
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [("token_revoked", "the token was revoked"), ("account_inactive", "the app of the token was removed")],
)
async def test_token_that_ended_is_a_sentence(setting: Setting, error: str, told: str) -> None:
    await setting.slack.revoke(error, announces=False)
    with pytest.raises(Failure, match=told):
        await setting.check()


async def test_limit_is_waited_for(setting: Setting) -> None:
    setting.slack.limit("users.info", retry_after=1)
    await setting.check()


async def test_slack_that_is_away_is_told_by_its_address(setting: Setting) -> None:
    setting.slack.fail("/api/auth.test$", 503)
    with pytest.raises(Failure, match=f"{setting.slack.url}/api/ gave no answer of Slack's"):
        await setting.check()


async def test_without_the_section_there_is_no_app_to_ask_about() -> None:
    with pytest.raises(Failure, match="errand setup slack"):
        await asyncio.to_thread(check_slack, Config())


async def test_guests_who_are_listed_are_told_of_and_no_failure(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.mona.guest = "restricted"
    await setting.check()
    assert capsys.readouterr().err == "slack.people: U0MONA (mona, guest) has the rights of octocat.\n"
    setting.mona.guest, setting.mona.team = None, "T0OTHER"
    await setting.check()
    assert "(mona, of another workspace) has the rights" in capsys.readouterr().err
