"""The house in which the movement floor is tested."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bot.house import House, house


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """A house with a private and a public repository, people and a Slack channel."""
    async with house(tmp_path) as made:
        yield made
