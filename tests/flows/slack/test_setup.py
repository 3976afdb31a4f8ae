"""docs/slack.md, followed word by word from nothing to `/job help`, in a terminal."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from bot.config import envfile
from demo.standins import StandIns, standins
from tests.flows.cli.beside import Served, Terminal, served
from tests.flows.cli.test_session import missing

PAGE = (Path(__file__).parents[3] / "docs" / "slack.md").read_text()
SECTION = PAGE.partition("## From nothing")[2].partition("\n### ")[0]
USER = "U012AB3CD"


def _steps() -> Iterator[tuple[list[str], list[str]]]:
    """The words of each command, with the lines that are shown below it."""
    for block in re.findall(r"^```console\n\$ errand (.*?)^```", SECTION, re.MULTILINE | re.DOTALL):
        command, *shown = block.splitlines()
        yield command.split(), shown


def _example(beside: StandIns) -> str:
    """The file of the page, with the addresses of the stand-ins where it has none."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", SECTION, re.MULTILINE | re.DOTALL)
    assert isinstance(text, str)
    text = text.replace("github:\n", f"github:\n  api_url: {beside.github_url}\n", 1)
    return text.replace("slack:\n", f"slack:\n  api_url: {beside.slack_url}\n", 1)


async def _typed(home: Served, words: list[str], beside: StandIns) -> str:
    """What the terminal shows of a command that asks for the secrets of the app."""
    asked = {"Bot User OAuth Token: ": beside.slack.token, "App-Level Token: ": beside.slack.app_token}

    def run() -> str:
        terminal = Terminal(home, *words, columns=200)
        for prompt, secret in asked.items():
            terminal.see(prompt)
            terminal.type(f"{secret}\n")
        assert terminal.end() == 0, terminal.text
        return terminal.text

    return await asyncio.to_thread(run)


async def test_page_leads_from_nothing_to_the_help_of_the_command(tmp_path: Path, forked: None) -> None:
    (setup, of_setup), (check, of_check), (serve, _) = _steps()
    assert (setup, check, serve) == (["setup", "slack"], ["check", "--slack"], ["serve"])
    async with standins() as beside:
        slack = beside.slack
        ops = slack.add_channel("ops", member=False)
        slack.add_person("mona", id=USER)
        slack.scopes -= {"usergroups:read", "users:read.email", "links:read", "links:write"}
        (tmp_path / "app.yaml").write_text(_example(beside))
        app = {
            "GITHUB_APP_ID": str(beside.github.app_id),
            "GITHUB_PRIVATE_KEY": beside.github.private_key,
            "GITHUB_WEBHOOK_SECRET": "0123456789abcdef",
        }
        home = Served(tmp_path, more=app)
        shown = await _typed(home, setup, beside)
        assert missing(shown, of_setup) is None, shown
        secrets = {"SLACK_BOT_TOKEN": slack.token, "SLACK_APP_TOKEN": slack.app_token}
        assert envfile.beside(tmp_path / "app.yaml").values == secrets
        assert not any(secret in shown for secret in secrets.values())

        done = await asyncio.to_thread(home.run, *check)
        assert (missing(done.stdout + done.stderr, of_check), done.returncode) == (None, 1)
        ops.member = True
        assert (await asyncio.to_thread(home.run, *check)).returncode == 0
        await asyncio.to_thread(home.close)
        await _serve_and_ask(tmp_path, app, beside)


async def _serve_and_ask(home: Path, environ: dict[str, str], beside: StandIns) -> None:
    slack = beside.slack
    serving = served(home, environ)
    try:
        await asyncio.to_thread(serving.__enter__)
        await slack.wait_for(lambda: bool(slack.socket_mode.connections))
        await slack.slash("help", user=USER)
        await slack.wait_for(lambda: any("run NAME" in each.text for each in slack.ephemerals))
        assert slack.messages == []
    finally:
        await asyncio.to_thread(serving.__exit__, None, None, None)
