"""The engines that the suite is run with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from executor.container import Settings
from tests.contract.cases import EngineCase, open_container_case, open_process_case
from tests.podman import Podman


@pytest.fixture(params=["process", pytest.param("container", marks=pytest.mark.container)])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EngineCase]:
    """Each engine in turn, with nothing run yet."""
    opened: EngineCase
    if request.param == "process":
        opened = await open_process_case(tmp_path)
    else:
        podman: Podman = request.getfixturevalue("podman")
        settings = Settings(socket=request.getfixturevalue("podman_socket"), arguments=podman.arguments)
        opened = await open_container_case(tmp_path, settings, podman.image)
    yield opened
    await opened.engine.close()
