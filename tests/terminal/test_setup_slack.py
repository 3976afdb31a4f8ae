"""`errand setup slack` against a Slack that is as strict as the real one."""

import asyncio
import io
import json
import stat
import webbrowser
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.config import Config, envfile, load, slack_app
from demo.slack import SlackStandIn
from demo.standins import serving
from terminal.failures import Failure
from terminal.serving import manifest_slack
from terminal.setup_slack import slack as setup

SIGNING = "0123456789abcdef0123456789abcdef"
JOBS = "# ours\njobs:\n  hello: {command: echo hi}\n"
SECTION = "slack: {bot_token: '${BOT}', signing_secret: '${SIGNING}'"


class Setting:
    """A directory with an app.yaml, and Slack."""

    def __init__(self, slack: SlackStandIn, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slack, self.path, self._monkeypatch = slack, path, monkeypatch
        self.written("url: https://errand.example.com\n")
        monkeypatch.setattr(slack_app, "API", f"{slack.url}/api/")

    def written(self, text: str) -> None:
        self.path.write_text(text + JOBS)

    async def run(self, *lines: str, force: bool = False) -> None:
        self._monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        await asyncio.to_thread(setup, self.path, browser=False, force=force)

    @property
    def kept(self) -> dict[str, str]:
        return dict(envfile.beside(self.path).values)


@pytest.fixture
async def setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Setting]:
    standin = SlackStandIn()
    async with serving(standin) as url:
        standin.url = url
        yield Setting(standin, tmp_path / "app.yaml", monkeypatch)
        await standin.socket_mode.stop()


async def test_secrets_go_into_env_and_the_section_into_the_file(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.path.chmod(0o640)
    await setting.run(setting.slack.token, SIGNING)
    assert setting.kept == {"SLACK_BOT_TOKEN": setting.slack.token, "SLACK_SIGNING_SECRET": SIGNING}
    assert stat.S_IMODE(setting.path.with_name(".env").stat().st_mode) == 0o600
    text = setting.path.read_text()
    assert text.startswith("url: https://errand.example.com\n# ours\njobs:\n")
    assert stat.S_IMODE(setting.path.stat().st_mode) == 0o640
    config = load(setting.path, {}).slack
    assert config is not None
    assert (config.bot_token.reveal(), config.app_token) == (setting.slack.token, None)
    shown = "".join(capsys.readouterr())
    assert slack_app.link(slack_app.manifest(load(setting.path, {}))) in shown
    assert "Acme knows these secrets" in shown
    assert "Next: `errand serve`, let Slack verify the Request URL under App Manifest, /invite" in shown
    assert "Nobody of Slack is known yet: write `people: {U012AB3CD: octocat}` below slack" in shown
    assert not any(secret in shown for secret in setting.kept.values())


async def test_socket_mode_is_proposed_where_slack_does_not_reach_errand(
    setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.written("url: http://127.0.0.1:8000\n")
    await setting.run(setting.slack.token, setting.slack.app_token)
    assert setting.kept == {
        "SLACK_BOT_TOKEN": setting.slack.token,
        "SLACK_APP_TOKEN": setting.slack.app_token,
    }
    shown = capsys.readouterr().err
    assert "since Slack does not reach http://127.0.0.1:8000" in shown
    assert "with the scope connections:write" in shown
    config = load(setting.path, {}).slack
    assert config is not None
    assert config.app_token is not None


async def test_names_of_the_file_count(setting: Setting) -> None:
    names = "bot_token: '${BOT}', signing_secret: ['${NEW}', old]"
    section = f"slack: {{{names}, api_url: {setting.slack.url}/api}}\n"
    setting.written(f"url: https://errand.example.com\n{section}")
    before = setting.path.read_text()
    await setting.run(setting.slack.token, SIGNING)
    assert setting.kept == {"BOT": setting.slack.token, "NEW": SIGNING}
    assert setting.path.read_text() == before


async def test_file_that_names_both_gets_both(setting: Setting) -> None:
    names = "bot_token: '${B}', app_token: '${A}', signing_secret: '${S}'"
    setting.written(f"slack: {{{names}, api_url: {setting.slack.url}/api}}\n")
    await setting.run(setting.slack.token, setting.slack.app_token, SIGNING)
    assert setting.kept == {"B": setting.slack.token, "A": setting.slack.app_token, "S": SIGNING}
    assert load(setting.path, {}).slack is not None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["xapp-1", SIGNING], "this is an app-level token"),
        (["xoxb-wrong", SIGNING], "Slack does not know the token: .* slack.bot_token"),
        (["{token}", "xoxb-1"], "needed here is the Signing Secret"),
        (["{token}"], "Nothing was written"),
        ([], "Nothing was written"),
    ],
)
async def test_nothing_is_written_of_what_is_wrong(setting: Setting, lines: list[str], told: str) -> None:
    before = setting.path.read_text()
    with pytest.raises(Failure, match=told):
        await setting.run(*(line.format(token=setting.slack.token) for line in lines))
    assert not setting.path.with_name(".env").exists()
    assert setting.path.read_text() == before


async def test_app_token_that_slack_does_not_know_is_told(setting: Setting) -> None:
    setting.written("")
    with pytest.raises(Failure, match=r"know the app token: generate one .* connections:write"):
        await setting.run(setting.slack.token, "xapp-1-wrong")


async def test_secrets_that_are_there_are_kept_unless_forced(setting: Setting) -> None:
    setting.written(f"url: https://errand.example.com\n{SECTION}, api_url: {setting.slack.url}/api}}\n")
    await setting.run(setting.slack.token, SIGNING)
    with pytest.raises(Failure, match="there is an app already"):
        await setting.run(setting.slack.token, SIGNING[::-1])
    await setting.run(setting.slack.token, SIGNING[::-1], force=True)
    assert setting.kept == {"BOT": setting.slack.token, "SIGNING": SIGNING[::-1]}


async def test_what_env_could_not_give_is_told_first(
    setting: Setting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    setting.written("slack: {bot_token: '${BOT}'}\n")
    with pytest.raises(Failure, match=r"\$\{SLACK_APP_TOKEN\} at slack\.app_token"):
        await setting.run()
    assert "since Slack does not reach http://127.0.0.1:8000" in capsys.readouterr().err
    setting.written(f"url: https://errand.example.com\n{SECTION}}}\n")
    monkeypatch.setenv("BOT", "xoxb-1")
    with pytest.raises(Failure, match=r"BOT: there is an app already"):
        await setting.run()
    with pytest.raises(Failure, match=r"BOT: what the environment has goes before \.env"):
        await setting.run(force=True)


@pytest.mark.parametrize("text", ["{url: 'https://errand.example.com', jobs: {}}", None])
async def test_section_is_shown_where_it_cannot_be_added(
    setting: Setting, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is None:
        setting.path.unlink()
    else:
        setting.path.write_text(text)
    await setting.run(setting.slack.token, SIGNING if text else setting.slack.app_token)
    assert "needs these lines:\nslack:\n  bot_token: ${SLACK_BOT_TOKEN}" in capsys.readouterr().out
    assert not setting.path.exists() or setting.path.read_text() == text


async def test_lacking_scope_is_told(setting: Setting, capsys: pytest.CaptureFixture[str]) -> None:
    setting.slack.scopes.discard("chat:write")
    await setting.run(setting.slack.token, SIGNING)
    assert "The app lacks the scope chat:write" in capsys.readouterr().err


async def test_page_is_opened_where_there_is_a_window(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(webbrowser, "open", seen.append)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for display in ("", ":0"):
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        with pytest.raises(Failure):
            await asyncio.to_thread(setup, setting.path)
    assert seen == [slack_app.link(slack_app.manifest(load(setting.path, {})))]


def test_manifest_is_printed_before_there_are_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "app.yaml"
    path.write_text(f"url: https://errand.example.com\n{SECTION}}}\n{JOBS}")
    manifest_slack(path, as_json=True)
    made = json.loads(capsys.readouterr().out)
    manifest_slack(path)
    assert capsys.readouterr() == (slack_app.written(Config(url="https://errand.example.com")), "")
    assert made == slack_app.manifest(Config(url="https://errand.example.com"))
    path.write_text(JOBS)
    manifest_slack(path)
    out, err = capsys.readouterr()
    assert "socket_mode_enabled: true" in out
    assert "Slack does not reach http://127.0.0.1:8000, so this is for Socket Mode" in err
    path.write_text("slcak: {}\n")
    with pytest.raises(Failure, match="did you mean slack"):
        manifest_slack(path)
