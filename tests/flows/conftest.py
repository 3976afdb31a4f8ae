"""Whole installations for journeys: the real service as a process, between the stand-ins."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.installation import Installation, installation

SECRET = "s3cr3t-value"
HERE = Path(__file__).parent


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service with SQLite; the repository is private."""
    where = {"config": HERE / "app.yaml", "sample": HERE / "repository"}
    async with installation(tmp_path, **where, environ={"API_KEY": SECRET}) as made:
        made.on_event = print  # shown when a test fails
        yield made
