"""Builds by a real Podman."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from executor.container.builds import Builds
from executor.container.settings import Settings
from executor.logs import LogStore
from tests.podman import Podman


@pytest.fixture
def settings(podman: Podman) -> Settings:
    return Settings(arguments=podman.arguments)


@pytest.fixture
async def builds(tmp_path: Path, logs: LogStore, settings: Settings) -> AsyncIterator[Builds]:
    opened = Builds(tmp_path / "work", logs, settings)
    await opened.open()
    yield opened
    await opened.close()
