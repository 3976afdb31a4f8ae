"""Whole installations for journeys: the real service as a process, between the stand-ins."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest

from demo.installation import Installation, Where, installation
from tests import databases
from tests.forkserver import SERVER, Service

HERE = Path(__file__).parent
SECRET = "s3cr3t-value"


@pytest.fixture(scope="session", autouse=True)
def forked() -> Iterator[None]:
    """Services are forked from a process that has loaded their modules, and find a migrated database."""

    async def start(command: list[str], directory: Path, environ: Mapping[str, str]) -> Service:
        file = directory / "errand.db"
        if not file.exists() and "ERRAND_DATABASE" not in environ:
            databases.sqlite(file)
        return await SERVER.start(command, directory, environ)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Installation, "start_process", staticmethod(start))
        yield


@pytest.fixture
def where() -> Where:
    """What the installations of these tests are made from."""
    return Where(config=HERE / "app.yaml", sample=HERE / "repository", environ={"API_KEY": SECRET})


@pytest.fixture
async def errand(tmp_path: Path, where: Where) -> AsyncIterator[Installation]:
    """A running service with SQLite; the repository is private."""
    async with installation(tmp_path, **where) as made:
        made.on_event = print  # shown when a test fails
        yield made
