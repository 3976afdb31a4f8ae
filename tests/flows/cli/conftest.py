"""A served Errand without GitHub and Slack, and terminals beside it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.cli.beside import Served, served

HERE = Path(__file__).parent


@pytest.fixture
def errand(tmp_path: Path) -> Iterator[Served]:
    """One that serves from a directory of its own."""
    shutil.copy(HERE / "app.yaml", tmp_path)
    with served(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for all tests of a file that do not mind what others have run there."""
    home = tmp_path_factory.mktemp("shared")
    shutil.copy(HERE / "app.yaml", home)
    with served(home) as made:
        yield made
