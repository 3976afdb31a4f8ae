"""One service for all journeys of a file: what a test starts, it knows by its own numbers.

Such files say `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.config import load, slack_app
from demo.installation import Installation, installation

HERE = Path(__file__).parent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def errand(tmp_path_factory: pytest.TempPathFactory, forked: None) -> AsyncIterator[Installation]:
    """A running service with SQLite; `octocat` is mapped, and whoever else there is in Slack is not."""
    home = tmp_path_factory.mktemp("slack")
    sample = HERE.parent / "repository"
    async with installation(home, config=HERE / "app.yaml", sample=sample, environ={}) as made:
        made.on_event = print  # shown when a test fails
        install(made)
        yield made


def install(errand: Installation) -> None:
    """Make the Slack app that this app.yaml needs, with no scope, event or shortcut besides."""
    config = load(errand.config, errand.environ).model_copy(update={"url": "https://errand.example.com"})
    manifest = json.loads(json.dumps(slack_app.manifest(config)))
    manifest["features"]["unfurl_domains"] = ["127.0.0.1"]  # where it is in truth
    errand.beside.slack.install(manifest)
