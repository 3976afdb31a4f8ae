"""`errand check --who` against stand-ins that are as strict as the real ones, and `errand who`."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.config import Config, load
from demo.standins import StandIns, standins
from terminal import who
from terminal.app import cli
from terminal.connection import check_github
from terminal.failures import Failure
from terminal.who import check_who

FILE = """url: https://errand.example.com
github:
  app_id: "{app}"
  private_key: "${{KEY}}"
  webhook_secret: a-secret-of-ours-to-sign-with
  api_url: "{github}"
slack:
  signing_secret: signing-secret
  bot_token: "{token}"
  api_url: "{slack}"
  people: {{U0MAPPED: alice}}
people:
  ops: [github:@acme/ops, slack:@oncall]
images: {{shop: {{build: {{repository: acme/shop}}}}}}
jobs:
  check: {{image: shop, command: "true"}}
  migrate: {{image: shop, command: "true", allow: [ops]}}
  restart: {{command: "true"}}
"""


@pytest.fixture
async def beside() -> AsyncIterator[StandIns]:
    async with standins() as made:
        made.github.add_repository("acme/shop", private=True)
        made.github.add_person("acme/shop", "alice", "write")
        made.github.add_to_team("acme", "ops", "bob")
        for installation in made.github.state.installations.values():
            installation.permissions["members"] = "read"
        for name in ("oncall", "mapped"):
            made.slack.add_person(name, id=f"U0{name.upper()}")
        made.slack.add_person("guest", id="U0GUEST", guest="restricted")
        made.slack.add_group("oncall", "U0ONCALL", "U0GUEST")
        yield made


@pytest.fixture
def config(beside: StandIns, tmp_path: Path) -> Config:
    (tmp_path / "app.yaml").write_text(
        FILE.format(
            app=beside.github.app_id,
            github=beside.github_url,
            slack=beside.slack_url,
            token=beside.slack.token,
        )
    )
    return load(tmp_path / "app.yaml", {"KEY": beside.github.private_key})


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("alice", {"check": "yes", "migrate": "no", "restart": "no"}),
        ("github:bob", {"check": "no", "migrate": "yes", "restart": "no"}),
        ("slack:U0MAPPED", {"check": "yes", "migrate": "no", "restart": "no"}),
        ("slack:U0ONCALL", {"check": "no", "migrate": "yes", "restart": "no"}),
        ("slack:U0GUEST", {"check": "no", "migrate": "no", "restart": "no"}),
    ],
)
async def test_table_says_which_jobs_somebody_may_run(
    config: Config, who: str, told: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(check_who, config, who)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {row[0]: row[1] for row in rows if row and row[0] in told} == told


async def test_what_cannot_be_known_now_fails(config: Config, beside: StandIns) -> None:
    for _ in range(3):
        beside.github.fail("/permission$", 500)
    with pytest.raises(Failure, match="not known now"):
        await asyncio.to_thread(check_who, config, "alice")


@pytest.mark.parametrize("who", ["", "slack:nobody", "github:@acme", "token:x", "a b"])
async def test_only_people_are_asked_about(config: Config, who: str) -> None:
    with pytest.raises(Failure, match="expected the login"):
        await asyncio.to_thread(check_who, config, who)


async def test_team_that_there_is_not_is_told(
    config: Config, beside: StandIns, capsys: pytest.CaptureFixture[str]
) -> None:
    del beside.github.state.organizations["acme"].teams["ops"]
    with pytest.raises(Failure):
        await asyncio.to_thread(check_github, config)
    assert "There is no team ops in acme that Errand can see" in capsys.readouterr().err


def test_table_of_all_jobs_comes_from_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Service:
        """An Errand that knows three jobs."""

        def pages(self, path: str, key: str, query: object, limit: int) -> list[dict[str, object]]:
            asked.append((path, key, query))
            return [
                {"job": "check", "may": True, "by": "github:permission/write", "why": None},
                {"job": "made", "may": False, "by": None, "why": "running `made` is for `ops`\x1b[2J"},
                {"job": "shop-greet", "may": None, "by": None, "why": "GitHub does not answer."},
            ]

    monkeypatch.setattr(who, "connected", Service)
    outcome = CliRunner().invoke(cli, ["who", "octocat"])
    assert asked == [("/api/who", "jobs", {"login": "octocat"})]
    assert [line.split("  ")[0] for line in outcome.stdout.splitlines()] == [
        "job",
        "check",
        "made",
        "shop-greet",
    ]
    assert "running made is for ops" in outcome.stdout
    assert "\x1b" not in outcome.stdout
    assert "not known now" in str(outcome.exception)
