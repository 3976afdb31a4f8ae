"""An installation with some jobs, for programs to talk to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from demo.installation import Installation, installation

HERE = Path(__file__).parent


@pytest.fixture
async def errand(tmp_path: Path) -> AsyncIterator[Installation]:
    """A running service; the repository is private."""
    async with installation(tmp_path, config=HERE / "app.yaml", sample=HERE.parent / "repository") as made:
        made.on_event = print  # shown when a test fails
        yield made
