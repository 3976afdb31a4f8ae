"""The engines that the suite is run with."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.cases import EngineCase, open_process_case


@pytest.fixture(params=["process"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EngineCase]:
    """Each engine in turn, with nothing run yet."""
    opened = await {"process": open_process_case}[request.param](tmp_path)
    yield opened
    await opened.engine.close()
