"""An installation with some jobs, for programs to talk to."""

from pathlib import Path

import pytest

from demo.installation import Where

HERE = Path(__file__).parent


@pytest.fixture
def where() -> Where:
    """What the installations of these tests are made from; the repository is private."""
    return Where(config=HERE / "app.yaml", sample=HERE.parent / "repository")
